export * from './html.ts';
export * from './judge.ts';
export * from './markdown.ts';
export { count, megabytes, shortDigest } from './numbers.ts';
export { named, phraseText } from './phrase.ts';
