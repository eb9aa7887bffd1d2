/** The same object, and the names of what was never read of it. */
export function watched<T extends object>(values: T): { values: T; unread: () => string[] } {
  const names = new Set(Object.keys(values));
  const watching = new Proxy(values, {
    get: (target, name) => {
      names.delete(String(name));
      return Reflect.get(target, name);
    },
  });
  return { values: watching, unread: () => [...names] };
}
