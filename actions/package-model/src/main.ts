import { provideDuckdb, runAction } from '@passloop/github/action';
import { imageSentence, imageSummary, printImage, printProbe, printScan } from '@passloop/report';
import { packageModel } from '@passloop/verbs';
import { Inputs, secrets } from './inputs.ts';

await runAction(
  Inputs,
  async (inputs, context) => {
    // Rows are needed to prove an image, and for nothing else.
    if (inputs.prove) {
      await provideDuckdb({ folder: inputs['duckdb-path'], env: context.env, progress: context.progress });
    }
    const { image, scan, probe } = await packageModel(context, inputs);
    return {
      kind: 'image',
      document: image,
      verdict: probe?.verdict ?? 'pass',
      sentence: imageSentence(image, probe),
      text: [printScan(scan), printImage(image), probe === null ? '' : printProbe(probe)].join('\n'),
      summary: imageSummary(image, probe),
      outputs: { image: image.reference ?? image.imageId, 'image-key': image.imageKey, digest: image.digest },
    };
  },
  { secrets },
);
