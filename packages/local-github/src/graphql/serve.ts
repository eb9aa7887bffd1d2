import {
  buildSchema,
  type DocumentNode,
  type ExecutionResult,
  execute,
  GraphQLError,
  type GraphQLFieldResolver,
  type GraphQLScalarType,
  getOperationAST,
  Kind,
  parse,
  validate,
} from 'graphql';
import { ApiError } from '../api-error.ts';
import { graphqlSchema } from '../extract/graphql-schema.ts';
import type { Forge } from '../forge.ts';
import { isOid, isoTime } from '../git-objects.ts';
import type { RateLimitState } from '../rate-limit.ts';
import { type Actor, canSee } from '../tokens.ts';
import { watched } from '../watched.ts';
import { actorNode } from './actors.ts';
import type { Context } from './context.ts';
import { type Enterprise, lackingMembers } from './enterprise.ts';
import { nodeOfId } from './lookup.ts';
import { mutations } from './mutations.ts';
import { repositoryNode } from './repository-node.ts';

export const schema = buildSchema(graphqlSchema, { assumeValidSDL: true });

function checkScalar(name: string, isValid: (value: string) => boolean, what: string): void {
  const scalar = schema.getType(name) as GraphQLScalarType;
  scalar.parseValue = (value) => {
    if (typeof value === 'string' && isValid(value)) return value;
    throw new GraphQLError(`${JSON.stringify(value)} is not ${what}`);
  };
  scalar.parseLiteral = (node) => {
    if (node.kind === Kind.STRING) return scalar.parseValue(node.value);
    throw new GraphQLError(`${name} must be a string`);
  };
}

checkScalar('GitObjectID', isOid, 'a valid Git object ID');
checkScalar('GitRefname', (value) => /^refs\/./.test(value), 'a fully qualified reference name');
checkScalar('Base64String', (value) => /^[A-Za-z0-9+/\s]*=*\s*$/.test(value), 'valid Base64');

const root = {
  repository: ({ owner, name }: { owner: string; name: string }, context: Context) => {
    const repository = context.forge.repositories.get(`${owner}/${name}`.toLowerCase());
    if (repository !== undefined && canSee(context.actor, repository)) return repositoryNode(context, repository);
    throw new ApiError(404, `Could not resolve to a Repository with the name '${owner}/${name}'.`);
  },
  node: ({ id }: { id: string }, context: Context) => nodeOfId(context, id),
  nodes: ({ ids }: { ids: string[] }, context: Context) => ids.map((id) => nodeOfId(context, id)),
  viewer: (_: unknown, context: Context) => ({
    ...actorNode(context.forge, context.actor.login),
    __typename: 'User',
  }),
  rateLimit: (_: unknown, { rateLimit }: Context) => ({
    cost: 1,
    nodeCount: 0,
    limit: rateLimit.limit,
    remaining: rateLimit.remaining,
    used: rateLimit.used,
    resetAt: isoTime(rateLimit.reset),
  }),
  ...mutations,
};

type Request = { query?: unknown; variables?: Record<string, unknown> | null; operationName?: string | null };

function parseRequest(body: string): Request {
  let request: unknown;
  try {
    request = JSON.parse(body);
  } catch {
    throw new ApiError(400, 'Problems parsing JSON');
  }
  return typeof request === 'object' && request !== null ? (request as Request) : {};
}

function parseDocument(query: string): DocumentNode | GraphQLError {
  try {
    return parse(query);
  } catch (error) {
    if (error instanceof GraphQLError) return error;
    throw error;
  }
}

/** What a request does, for the log and for faults; of a request that can't be read, nothing. */
export function graphqlRootFields(body: string): { fields: string[]; isMutation: boolean } {
  try {
    const { query, operationName } = parseRequest(body);
    const document = parse(String(query));
    const operation = getOperationAST(document, operationName);
    const fields = (operation?.selectionSet.selections ?? []).map((one) =>
      one.kind === Kind.FIELD ? one.name.value : '...',
    );
    return { fields, isMutation: operation?.operation === 'mutation' };
  } catch {
    return { fields: [], isMutation: false };
  }
}

/** An error as GitHub prints it: its type beside the message. */
function formatError(error: GraphQLError) {
  const { message, path, locations } = error;
  const type = error.originalError instanceof ApiError ? { type: error.originalError.type } : {};
  return {
    ...type,
    ...(path === undefined ? {} : { path }),
    ...(locations === undefined ? {} : { locations }),
    message,
  };
}

/** Where REST answers 403, GraphQL answers 200, and an error that names the limit. */
export function graphqlRateLimited(caller: string): object {
  const message = `API rate limit already exceeded for ${caller}.`;
  return { errors: [{ type: 'RATE_LIMIT', code: 'graphql_rate_limit', message }] };
}

/**
 * graphql-js gives null for what an object lacks; here that is a bug and not an answer, and so is an argument, or a
 * field of a mutation's input, that nothing reads.
 */
const resolveField: GraphQLFieldResolver<unknown, Context> = (source, args, context, info) => {
  const value = (source as Record<string, unknown>)[info.fieldName];
  const name = `${info.parentType.name}.${info.fieldName}`;
  if (value === undefined) throw new Error(`${name} is extracted and not served`);
  const given = new Set(
    info.fieldNodes.flatMap((node) => (node.arguments ?? []).map((argument) => argument.name.value)),
  );
  if (given.size === 0) return typeof value === 'function' ? value(args, context) : value;
  const input = watched<object>(args.input ?? {});
  const outer = watched<Record<string, unknown>>('input' in args ? { ...args, input: input.values } : args);
  const finish = (result: unknown) => {
    const ignored = [...outer.unread().filter((one) => given.has(one)), ...input.unread()];
    if (ignored.length > 0) throw new Error(`${name} is served without ${ignored.join(', ')}`);
    return result;
  };
  const result: unknown = typeof value === 'function' ? value(outer.values, context) : value;
  return result instanceof Promise ? result.then(finish) : finish(result);
};

/**
 * Executes a document against the extract of GitHub's schema.
 * @throws ApiError 400 for a body that is no JSON; Error for a bug of ours, such as a value against the schema
 */
export async function serveGraphql(
  forge: Forge,
  actor: Actor,
  body: string,
  options: {
    rateLimit: RateLimitState;
    isUntested: boolean;
    enterprise?: { release: Enterprise; accept: string } | undefined;
  },
): Promise<object> {
  const { query, variables, operationName } = parseRequest(body);
  if (typeof query !== 'string' || query.trim() === '') {
    return { errors: [{ message: 'A query attribute must be specified and must be a string.' }] };
  }
  const document = parseDocument(query);
  if (document instanceof GraphQLError) return { errors: [formatError(document)] };
  const invalid = validate(schema, document);
  if (invalid.length > 0) return { errors: invalid.map(formatError) };
  const { enterprise, rateLimit, isUntested } = options;
  const lacking =
    enterprise === undefined ? [] : lackingMembers(schema, document, enterprise.release, enterprise.accept);
  if (lacking.length > 0)
    return { errors: lacking.map((error) => ({ ...formatError(error), extensions: error.extensions })) };
  const context: Context = { forge, actor, rateLimit, isUntested };
  const result: ExecutionResult = await execute({
    schema,
    document,
    rootValue: root,
    contextValue: context,
    variableValues: variables ?? {},
    operationName: operationName ?? null,
    fieldResolver: resolveField,
  });
  for (const error of result.errors ?? []) {
    const isOurs = error.path !== undefined && !(error.originalError instanceof ApiError);
    if (isOurs) throw error.originalError ?? error;
  }
  if (result.errors === undefined) return { data: result.data };
  return { ...(result.data === undefined ? {} : { data: result.data }), errors: result.errors.map(formatError) };
}
