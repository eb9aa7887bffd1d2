import { ConfigurationError, plainText } from '@passloop/core';
import {
  childOf,
  itemsOf,
  itemWhere,
  type Located,
  lineOf,
  nearest,
  placeName,
  placeOf,
  readingAt,
} from './address.ts';
import { parseReference } from './image-reference.ts';
import { fieldsOf } from './manifest.ts';

/** Which container of a pod: by its name, by the repository of its image, or the only one. */
export type ContainerQuery = { container?: string | undefined; image?: string | undefined };

/**
 * The `image` of a container of a pod's spec; init containers are found by name or image, and never as the only one.
 * @throws ConfigurationError with the containers that there are
 */
export function containerImage(pod: Located, query: ContainerQuery): Located {
  return imageOfContainer(findContainer([pod], query));
}

/** The same among several pods, as the component specs of a graph are. */
export function findContainer(pods: readonly Located[], { container, image }: ContainerQuery): Located {
  const lists = pods.flatMap((pod) => childOf(pod, 'containers') ?? []);
  const initial = pods.flatMap((pod) => childOf(pod, 'initContainers') ?? []);
  const all = [...lists, ...initial].flatMap(itemsOf);
  if (container !== undefined) {
    const found = [...lists, ...initial].flatMap((list) => itemWhere(list, 'name', container) ?? []);
    return one(found, all, pods, `named ${container}`, 'container');
  }
  if (image !== undefined) {
    const found = all.filter((item) => repositoryOf(item) === image);
    return one(found, all, pods, `with an image of ${image}`, 'container');
  }
  return one(lists.flatMap(itemsOf), all, pods, null, 'container');
}

function imageOfContainer(container: Located): Located {
  const image = childOf(container, 'image');
  if (image !== null) return image;
  throw new ConfigurationError(`${placeName(container)} has no image.`, {
    ...placeOf(container),
    hint: 'Write `image: repository` there; a promotion adds the digest.',
  });
}

function repositoryOf(container: Located): string | null {
  const { image } = fieldsOf(readingAt(container));
  return typeof image === 'string' ? (parseReference(image)?.repository ?? null) : null;
}

function one(
  found: readonly Located[],
  all: readonly Located[],
  pods: readonly Located[],
  which: string | null,
  field: string,
): Located {
  const [first, second] = found;
  if (first !== undefined && second === undefined) return first;
  const place = second ?? first ?? pods[0];
  const names = all.map((item) => `${plainText(String(fieldsOf(readingAt(item)).name), 63)} (line ${lineOf(item)})`);
  const listed = which === null ? names : nearest(which.split(' ').at(-1) ?? '', names);
  const where = place === undefined ? 'The file' : placeName(pods[0] ?? place);
  const what = which === null ? 'containers' : `containers ${which}`;
  throw new ConfigurationError(
    `${where} has ${found.length === 0 ? `no ${what.replace('containers', 'container')}` : `${found.length} ${what}`}.`,
    {
      ...(place === undefined ? {} : placeOf(place)),
      hint:
        names.length === 0
          ? 'It has no containers at all.'
          : `Say which by \`${field}\`: ${listed.slice(0, 20).join(', ')}.`,
    },
  );
}
