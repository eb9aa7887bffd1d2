import type { ByteSource } from './byte-source.ts';
import { decompressed } from './compression.ts';
import { ScanStop } from './finding.ts';
import { formatOf, type ModelFormat } from './format.ts';
import { parseJsonHeader } from './json-header.ts';
import { scanNpy } from './npy.ts';
import { scanPickle } from './pickle.ts';
import { addFinding, type PickleScan } from './pickle-policy.ts';
import { readZipDirectory, type ZipMember } from './zip-directory.ts';

/**
 * Scans the members of a zip: PyTorch's files (a pickle and raw storages), npz, Keras. Each member is judged by its bytes
 * and by its name. Readers disagree on damaged zips, so the two places that describe a member must agree.
 */
export async function scanZip(source: ByteSource, scan: PickleScan): Promise<ModelFormat> {
  const members = readZipDirectory(source, scan);
  const torch = members.some(({ name }) => /^([^/]+\/)?data\.pkl$/.test(name));
  scan.persistentIds = torch;
  for (const member of members) {
    if (member.name.endsWith('/') && member.size === 0) continue;
    const stored = source.slice(member.start, member.compressedSize);
    if (member.method === 0) {
      await scanMember(stored, member, torch, scan);
    } else {
      await using content = await decompressed(stored, 'deflate', scan);
      if (content.source.size !== member.size || content.trailing > 0) {
        addFinding(scan, 'header-mismatch', `${shown(member)} has another length than the zip says.`);
      }
      await scanMember(content.source, member, torch, scan);
    }
  }
  return torch ? 'torch' : 'zip';
}

async function scanMember(source: ByteSource, member: ZipMember, torch: boolean, scan: PickleScan): Promise<void> {
  const { name } = member;
  const format = formatOf(source.peek(64), source.size);
  const isPickle = /\.(pkl|pickle|joblib)$/i.test(name);
  try {
    if (torch && /(^|\/)data\/\d+$/.test(name) && !isPickle) return;
    if (isPickle || (format === 'pickle' && source.peek(1)[0] === 0x80)) {
      scanPickle(source, scan, 'plain');
      if (source.left > 0)
        addFinding(scan, 'trailing-bytes', `${source.left} bytes follow the pickle ${shown(member)}.`);
    } else if (format === 'npy') scanNpy(source, scan);
    else if (
      torch &&
      /(^|\/)(version|byteorder|\.format_version|\.storage_alignment|\.data\/serialization_id)$/.test(name)
    ) {
      if (source.size > 64) addFinding(scan, 'unread-format', `${shown(member)} is larger than such a mark.`);
    } else if (/(^|\/)config\.json$/.test(name)) scanKerasConfig(source, member, scan);
    else if (/(^|\/)metadata\.json$/.test(name)) return;
    else addFinding(scan, 'unread-format', `${shown(member)} (${format}) is not read by this scan.`);
  } catch (error) {
    if (!(error instanceof ScanStop)) throw error;
    addFinding(scan, error.rule, `${shown(member)}: ${error.message}`);
  }
}

/** A Keras model runs the code of a Lambda layer, and imports what a layer's module names; its weights are not read here. */
function scanKerasConfig(source: ByteSource, member: ZipMember, scan: PickleScan): void {
  addFinding(scan, 'unread-format', `${shown(member)} makes this a Keras model, which is not judged as a whole.`);
  if (source.size > scan.limits.headerBytes) throw new ScanStop('limit', `the configuration has ${source.size} bytes.`);
  const nodes = [parseJsonHeader(source.bytes(source.size).toString('utf8'), 200)];
  for (let node = nodes.pop(); node !== undefined; node = nodes.pop()) {
    if (typeof node !== 'object' || node === null) continue;
    for (const [key, value] of Object.entries(node)) {
      if (value !== undefined) nodes.push(value);
      if (key === 'class_name' && value === 'Lambda')
        addFinding(scan, 'custom-code', `${shown(member)} has a Lambda layer.`);
      const foreign = typeof value === 'string' && !/^(builtins|keras|tensorflow\.keras|tf_keras)(\.|$)/.test(value);
      if (key === 'module' && foreign)
        addFinding(scan, 'custom-code', `${shown(member)} imports ${JSON.stringify(value.slice(0, 80))}.`);
    }
  }
}

function shown(member: ZipMember): string {
  return JSON.stringify(member.name.slice(0, 120));
}
