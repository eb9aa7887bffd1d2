import type { RecordDocument } from '@passloop/documents';
import type { ClosedPullRequest } from './forge.ts';

/**
 * A promotion that people refused: they closed its pull request and didn't merge it. What is refused is this very model in this very
 * image, in this environment, whatever was there before; another candidate is not affected.
 */
export type RefusedPromotion = {
  modelDigest: string;
  imageDigest: string;
  imageKey: string | null;
  number: number;
  url: string;
  by: string | null;
  at: string;
};

/** Said of a pull request that Passloop itself closed: nobody refused anything. */
const closedMark = '<!-- passloop closed -->';

/** The last lines of a pull request's body, by which it is known again after it was closed. */
export function promotionMarker({ modelDigest, image, deployment }: RecordDocument): string {
  return markerOf({ modelDigest, imageDigest: image.digest, imageKey: image.imageKey }, deployment.promotionId);
}

/** The same by what the trailers of its commit say; null where they don't say it. */
export function trailerMarker(message: string): string | null {
  const digestOf = (token: string) => new RegExp(`^${token}: (sha256:[0-9a-f]{64})$`, 'm').exec(message)?.[1] ?? null;
  const modelDigest = digestOf('Model-Digest');
  const imageDigest = digestOf('Image-Digest');
  const promotionId = digestOf('Promotion-Id');
  if (modelDigest === null || imageDigest === null || promotionId === null) return null;
  return markerOf({ modelDigest, imageDigest, imageKey: null }, promotionId);
}

type Identity = { modelDigest: string; imageDigest: string; imageKey: string | null };

function markerOf({ modelDigest, imageDigest, imageKey }: Identity, promotionId: string): string {
  return [
    `<!-- passloop identity ${modelDigest} ${imageDigest} ${imageKey ?? '-'} -->`,
    `<!-- passloop promotion ${promotionId} -->`,
  ].join('\n');
}

/** The body of a pull request that is closed here, and is not to be taken for a refusal. */
export function closedBody(body: string, why: string): string {
  return `${why}\n\n${body.trim()}\n${closedMark}\n`;
}

/** What the pull requests of one promotion branch refuse: of each identity, its last pull request counts. */
export function refusedPromotions(pulls: readonly ClosedPullRequest[]): RefusedPromotion[] {
  const last = new Map<string, { pull: ClosedPullRequest; refused: RefusedPromotion }>();
  for (const pull of pulls) {
    const identity = identityIn(pull.body);
    if (identity === null) continue;
    const key = `${identity.modelDigest} ${identity.imageDigest}`;
    const known = last.get(key);
    if (known !== undefined && known.pull.number > pull.number) continue;
    const { number, url, by, at } = pull;
    last.set(key, { pull, refused: { ...identity, number, url, by, at } });
  }
  return [...last.values()].filter(({ pull }) => isRefusal(pull)).map(({ refused }) => refused);
}

function isRefusal({ body, isMerged }: ClosedPullRequest): boolean {
  return !isMerged && !body.split(/\r?\n/).includes(closedMark);
}

/** Text of others stands in the body before the marker, on lines of its own: the last line that is one is ours. */
function identityIn(body: string): Pick<RefusedPromotion, 'modelDigest' | 'imageDigest' | 'imageKey'> | null {
  const pattern =
    /^<!-- passloop identity (sha256:[0-9a-f]{64}) (sha256:[0-9a-f]{64}) (-|ik\d{1,3}-[0-9a-f]{64}) -->\r?$/gm;
  const [, modelDigest, imageDigest, imageKey] = [...body.matchAll(pattern)].at(-1) ?? [];
  if (modelDigest === undefined || imageDigest === undefined || imageKey === undefined) return null;
  return { modelDigest, imageDigest, imageKey: imageKey === '-' ? null : imageKey };
}

/** What is known of a candidate; before its image was built, the key of that image. */
export type RefusalQuery = { modelDigest: string | null; imageDigest: string | null; imageKey: string | null };

/** The refusal of a candidate, or null. */
export function refusalAgainst(
  refusals: readonly RefusedPromotion[],
  { modelDigest, imageDigest, imageKey }: RefusalQuery,
): RefusedPromotion | null {
  const isSameImage = (refused: RefusedPromotion) =>
    imageDigest === null ? imageKey !== null && refused.imageKey === imageKey : refused.imageDigest === imageDigest;
  return refusals.find((refused) => refused.modelDigest === modelDigest && isSameImage(refused)) ?? null;
}

/** Who said no, when and where, and the two ways to take it back. */
export function refusalReason(environment: string, { number, url, by, at }: RefusedPromotion): string {
  const when = `${at.slice(0, 16).replace('T', ' ')} UTC`;
  return `${by ?? 'Somebody'} closed the pull request of this very promotion to ${environment} on ${when}: ${url}. Reopen #${number} to go on with it, or ask for it anew: \`passloop promote --again\`, or the input \`again\` of the workflow.`;
}
