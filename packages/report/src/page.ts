/** The page alone needs what draws charts, and no other part of the report has to wait for it. */
export { renderHtml } from './html.ts';
