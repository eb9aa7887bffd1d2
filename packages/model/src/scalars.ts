import path from 'node:path';
import { isInsidePath } from '@passloop/core';
import { z } from 'zod';

/** `./out/` and `out` are one place, and so one text: paths are compared, stored and restored by it. */
export const InsidePath = z
  .string()
  .min(1)
  .max(1024)
  .refine(isInsidePath, 'must be a path inside the repository: relative, with "/", without ".."')
  .overwrite((text) => path.posix.normalize(text).replace(/\/$/, ''))
  .refine((text) => text !== '.', 'must be a path below the folder of the model file, not that folder itself');

export const Name = z
  .string()
  .max(53)
  .regex(
    /^[a-z]([-a-z0-9]*[a-z0-9])?$/,
    'must be lower case letters, digits and "-", begin with a letter and not end with "-"',
  );

export const ImageRepository = z
  .string()
  .max(255)
  .regex(
    /^[a-z0-9]+(?:[._-][a-z0-9]+)*(?::\d{1,5})?(?:\/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*$/,
    'must be an image repository such as ghcr.io/acme/flight: lower case, no tag, no digest',
  );

export const PinnedImage = z
  .string()
  .max(512)
  .regex(
    /^[a-z0-9][a-z0-9._:/-]*@sha256:[0-9a-f]{64}$/,
    'must be an image pinned by digest: name[:tag]@sha256:<64 hex>',
  );
