/** What an action needs of `@actions/core`, so that a test can stand in for the runner. */
export type Runner = {
  getInput(name: string): string;
  setOutput(name: string, value: string): void;
  setSecret(secret: string): void;
  /** Fails the step; null where its reason was annotated. */
  setFailed(message: string | null): void;
  info(line: string): void;
  startGroup(title: string): void;
  endGroup(): void;
  annotate(annotation: Annotation): void;
  /** Adds Markdown to the job summary. */
  summarize(markdown: string): Promise<void>;
};

/** A message that GitHub shows on a line of a file of the repository. */
export type Annotation = {
  level: 'failure' | 'warning' | 'notice';
  title: string;
  message: string;
  file: string | null;
  /** 1-based. */
  line: number | null;
};
