import type { Target } from '@passloop/model';

/** The image that a target shall carry. */
export type TargetImage = {
  /** The name it was pushed to; a target that names a mirror keeps that. Null where only the digest is known. */
  repository: string | null;
  digest: string;
  /** The tag under which it was pushed, its image key; null where there is none. */
  tag: string | null;
};

/** What a target carries. */
export type Carried = {
  /** What `value(target, image)` would be if that is in place: the digest, or for weights `subset=10`. */
  value: string | null;
  digest: string | null;
  tag: string | null;
  /** The image's name as a cluster pulls it, where the target says so. */
  pulls: string | null;
  /**
   * True where the slot itself isn't written: the stable one while a canary stands in its place (nothing can be read then), the
   * canary after a promotion took it away (then it is what is stable). That is no drift: the other slot's environment did it.
   */
  hidden?: boolean;
};

/** One kind of target: pure functions of a file's text. Each throws ConfigurationError with file, line and candidates. */
export type TargetEditor<Of extends Target = Target> = {
  read(text: string, target: Of): Carried;
  edit(text: string, target: Of, image: TargetImage): string;
  value(target: Of, image: TargetImage): string;
  /** The target's place in its file, as a record names it. */
  address(target: Of): string;
  /** What a person should know before the edit; none mostly. */
  warnings?(text: string, target: Of): string[];
};

/** `a b=c` from the fields that a target has. */
export function addressText(fields: Record<string, string | number | undefined>): string {
  return Object.entries(fields)
    .flatMap(([key, value]) => (value === undefined ? [] : `${key}=${value}`))
    .join(' ');
}
