import { Ajv, type AnySchema, type ErrorObject, type ValidateFunction } from 'ajv';
import addFormatsModule from 'ajv-formats';
import { ApiError } from './api-error.ts';
import extract from './extract/openapi.json' with { type: 'json' };

type Parameter = { name: string; in: string; required: boolean; multiSegment: boolean; schema: AnySchema };
/** One operation of GitHub's OpenAPI description, as extracted: schemas are JSON Schema, references `github#/...`. */
export type ApiOperation = {
  id: string;
  method: string;
  path: string;
  documentation: string | null;
  parameters: Parameter[];
  body: AnySchema | null;
  responses: Record<string, AnySchema | null>;
};

export const apiOperations = extract.operations as unknown as ApiOperation[];

// the package is CommonJS: under Node's rules its default export is the module
const addFormats = addFormatsModule as unknown as typeof addFormatsModule.default;
const ajv = new Ajv({ strict: false, allErrors: true, useDefaults: false });
const coercing = new Ajv({ strict: false, allErrors: true, coerceTypes: true });
addFormats(ajv);
addFormats(coercing);
for (const one of [ajv, coercing]) {
  // a bot's has brackets, and a commit's is whatever its author wrote
  one.addFormat('email', true);
  one.addFormat('repo.nwo', /^[^/\s]+\/[^/\s]+$/);
  one.addSchema({ $id: 'github', schemas: extract.schemas });
}

export type EventName = keyof typeof extract.webhooks;

const validators = new Map<string, ValidateFunction>();

function validatorOf(key: string, schema: AnySchema, compiler: Ajv): ValidateFunction {
  const known = validators.get(key);
  if (known !== undefined) return known;
  const validator = compiler.compile(schema);
  validators.set(key, validator);
  return validator;
}

type Route = { operation: ApiOperation; pattern: RegExp; names: string[]; literals: number };

// a parameter that may hold slashes: in these paths GitHub takes them raw as well as encoded
const WITH_SLASHES = new Set(['basehead', 'branch', 'path', 'ref', 'commit_sha']);

function toRoute(operation: ApiOperation): Route {
  const names: string[] = [];
  const source = operation.path
    .split('/')
    .map((part) => {
      const name = /^\{(\w+)\}$/.exec(part)?.[1];
      if (name === undefined) return part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
      names.push(name);
      const spans = WITH_SLASHES.has(name) || operation.parameters.some((one) => one.name === name && one.multiSegment);
      return name === 'path' ? '(.*)' : spans ? '(.+)' : '([^/]+)';
    })
    .join('/')
    .replace(/\/\(\.\*\)$/, '(?:/(.*))?'); // the root folder's contents may be asked for without a slash
  const literals = operation.path.split('/').filter((part) => !part.startsWith('{')).length;
  return { operation, pattern: new RegExp(`^${source}$`), names, literals };
}

const routes = apiOperations.map(toRoute).sort((a, b) => b.literals - a.literals);

/** The operation of a method and path, and the path's decoded parameters. */
export function findOperation(
  method: string,
  path: string,
): { operation: ApiOperation; values: Record<string, string> } | undefined {
  const plain = path.length > 1 && !path.includes('/contents/') ? path.replace(/\/$/, '') : path;
  for (const { operation, pattern, names } of routes) {
    const match = operation.method === method ? pattern.exec(plain) : null;
    if (match === null) continue;
    try {
      const values = names.map((name, index) => [name, decodeURIComponent(match[index + 1] ?? '')] as const);
      return { operation, values: Object.fromEntries(values) };
    } catch {
      throw new ApiError(400, 'Problems parsing the path');
    }
  }
  return undefined;
}

function complaint(error: ErrorObject, value: unknown): string {
  if (error.keyword === 'required') return `"${error.params.missingProperty}" wasn't supplied.`;
  const path = error.instancePath.slice(1).split('/').filter(Boolean);
  const found = path.reduce<unknown>(
    (holder, key) =>
      typeof holder === 'object' && holder !== null ? (holder as Record<string, unknown>)[key] : holder,
    value,
  );
  const where = path.map((part) => (/^\d+$/.test(part) ? `items` : `properties/${part}`)).join('/');
  const said =
    typeof error.params.type === 'string'
      ? `is not a${/^[aeiou]/.test(error.params.type) ? 'n' : ''} ${error.params.type}`
      : error.message;
  return `For '${where}', ${JSON.stringify(found)?.slice(0, 100)} ${said}.`;
}

function invalid(errors: ErrorObject[], value: unknown): ApiError {
  return new ApiError(
    422,
    `Invalid request.\n\n${[...new Set(errors.map((error) => complaint(error, value)))].join('\n')}`,
  );
}

/**
 * Checks path and query parameters and gives them their types. Query parameters that GitHub does not describe are
 * refused, since the server would ignore them silently.
 * @throws ApiError 422
 */
export function checkParameters(
  operation: ApiOperation,
  values: Record<string, string>,
): Record<string, string | number | boolean> {
  const schema = {
    type: 'object',
    properties: Object.fromEntries(operation.parameters.map((one) => [one.name, one.schema])),
    required: operation.parameters.filter((one) => one.required).map((one) => one.name),
  };
  const unknown = Object.keys(values).filter((name) => !operation.parameters.some((one) => one.name === name));
  if (unknown.length > 0) throw new ApiError(422, `${operation.id} has no parameter ${unknown.join(', ')}`);
  const checked: Record<string, string | number | boolean> = { ...values };
  const validate = validatorOf(`parameters ${operation.id}`, schema, coercing);
  if (!validate(checked)) throw invalid(validate.errors ?? [], values);
  return checked;
}

/** @throws ApiError 422 for a body that GitHub's description forbids, or a field that it doesn't know */
export function checkBody(operation: ApiOperation, body: unknown): void {
  if (operation.body === null) return;
  const described = (operation.body as { properties?: object }).properties;
  if (described !== undefined && typeof body === 'object' && body !== null) {
    const unknown = Object.keys(body).filter((name) => !(name in described));
    if (unknown.length > 0) throw new ApiError(422, `${operation.id} has no field ${unknown.join(', ')}`);
  }
  const validate = validatorOf(`body ${operation.id}`, operation.body, ajv);
  if (!validate(body)) throw invalid(validate.errors ?? [], body);
}

/** What is wrong with an answer of ours, by GitHub's description; undefined when nothing is. */
export function responseProblem(operation: ApiOperation, status: number, body: unknown): string | undefined {
  if (!(String(status) in operation.responses)) return `${operation.id} has no response ${status}`;
  const schema = operation.responses[status] ?? null;
  if (schema === null) return body === undefined ? undefined : `${operation.id} answers ${status} without a body`;
  const validate = validatorOf(`response ${operation.id} ${status}`, schema, ajv);
  if (validate(body)) return undefined;
  const problems = (validate.errors ?? []).slice(0, 5).map((error) => `${error.instancePath} ${error.message}`);
  return `${operation.id} ${status}: ${problems.join('; ')}`;
}

/** What is wrong with the payload of an event, by GitHub's description; undefined when nothing is. */
export function eventProblem(event: EventName, payload: unknown): string | undefined {
  const validate = validatorOf(`event ${event}`, extract.webhooks[event], ajv);
  if (validate(payload)) return undefined;
  const problems = (validate.errors ?? []).slice(0, 5).map((error) => `${error.instancePath} ${error.message}`);
  return `${event}: ${problems.join('; ')}`;
}
