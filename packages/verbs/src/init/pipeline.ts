/** A stage as `init` found it, in the words of the model file. */
export type FoundStage = {
  name: string;
  run: string[];
  code: string[];
  data: string[];
  params: { file: string; keys: string[] } | null;
  outputs: string[];
  needs: string[];
  /** What a person must look at, on the stage's first line. */
  decide: string | null;
};

export type Pipeline = {
  /** Where it was found: `dvc.yaml`, `MLproject`, `train.py`. */
  source: string;
  python: string | null;
  stages: FoundStage[];
  /** What could not be taken over. */
  left: string[];
};

/** What a pipeline is read from: names and small texts of the folder, all of them somebody else's. */
export type PipelineSource = {
  files: readonly string[];
  texts: ReadonlyMap<string, string>;
  /** Path -> dataset name. */
  datasets: ReadonlyMap<string, string>;
};

/** A name as the model file takes it: lower case letters, digits and `-`. */
export function plainName(text: string, fallback: string): string {
  const name = text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^[^a-z]+/, '')
    .slice(0, 53)
    .replace(/-+$/, '');
  return name === '' ? fallback : name;
}

/** The same name with a number, where it is taken. */
export function freeName(name: string, taken: ReadonlySet<string>): string {
  for (let number = 2, free = name; ; number += 1) {
    if (!taken.has(free)) return free;
    free = `${name.slice(0, 48)}-${number}`;
  }
}

/** A command as arguments. What a shell would have to read is given to one. */
export function commandArguments(command: string): string[] {
  const text = command.trim();
  return /^[\w./=:,@%+ -]+$/.test(text) && !text.startsWith('-') ? text.split(/ +/) : ['sh', '-c', text];
}

/** Paths that are neither the same nor in one another, in their order. */
export function separatePaths(paths: readonly string[]): string[] {
  const kept: string[] = [];
  for (const path of paths) {
    const folded = path.toLowerCase();
    const overlaps = kept.some((one) => {
      const other = one.toLowerCase();
      return other === folded || other.startsWith(`${folded}/`) || folded.startsWith(`${other}/`);
    });
    if (!overlaps) kept.push(path);
  }
  return kept;
}
