/**
 * The file of a workflow in its path with a ref behind an `@`, which a file may have in its own name:
 * `.github/workflows/check@a.yml@refs/heads/main`. A file has no `/` below its folder, so no `@refs/` is its own; without one,
 * what ends as a workflow's file is one.
 */
export function workflowFileOf(path: string): string {
  const withRef = /^(.+?)@refs\//s.exec(path) ?? /^(.+\.ya?ml)@(?!.*\.ya?ml$)/s.exec(path);
  return withRef?.[1] ?? path;
}
