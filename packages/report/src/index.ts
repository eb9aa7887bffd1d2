export { headline, headlineText, reportHeadline } from './headline.ts';
export * from './html.ts';
export * from './judge.ts';
export * from './markdown.ts';
export { named, phraseText } from './phrase.ts';
export * from './plan-summary.ts';
export * from './promotion-jobs.ts';
export * from './step-summary.ts';
export * from './terminal.ts';
