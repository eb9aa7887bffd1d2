/**
 * Makes the checked-in extracts of GitHub's published API descriptions which the local GitHub server serves and
 * checks itself against: REST operations out of `@octokit/openapi` (OpenAPI 3.0, MIT), GraphQL types out of
 * `@octokit/graphql-schema` (SDL, MIT).
 *
 *     node scripts/extract-github-api.ts [OPENAPI_TARBALL]
 *
 * Without a tarball it runs `npm pack` (29 MB; an install of that package takes 423 MB, so it is no dependency).
 * What is not listed in `operations` and `types` below does not exist for the server.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { schema } from '@octokit/graphql-schema';
import {
  type DefinitionNode,
  type FieldDefinitionNode,
  type InputValueDefinitionNode,
  Kind,
  parse,
  print,
  type TypeNode,
  visit,
} from 'graphql';

const OPENAPI = '@octokit/openapi@23.0.2';
const target = new URL('../packages/local-github/src/extract/', import.meta.url);

const operations = `
  actions/create-workflow-dispatch actions/delete-artifact actions/download-artifact actions/get-artifact
  actions/get-environment-variable actions/list-environment-secrets
  actions/get-fork-pr-contributor-approval-permissions-repository
  actions/get-github-actions-default-workflow-permissions-repository actions/get-repo-variable
  actions/get-workflow-run actions/list-workflow-run-artifacts actions/list-workflow-runs-for-repo
  apps/get-authenticated apps/get-repo-installation apps/create-installation-access-token
  apps/list-repos-accessible-to-installation apps/revoke-installation-access-token
  checks/create checks/get checks/list-for-ref checks/list-annotations checks/update
  git/create-blob git/create-commit git/create-ref git/create-tree git/delete-ref git/get-blob git/get-commit
  git/get-ref git/get-tree git/list-matching-refs git/update-ref
  issues/add-labels issues/create-comment issues/delete-comment issues/get-comment issues/list-comments
  issues/list-labels-on-issue issues/remove-label issues/update-comment
  pulls/create pulls/create-review pulls/get pulls/list
  pulls/list-commits pulls/list-files pulls/list-reviews pulls/merge pulls/update pulls/update-branch
  orgs/list-app-installations
  rate-limit/get
  repos/compare-commits-with-basehead repos/create-commit-status repos/create-or-update-file-contents
  repos/delete-branch-protection repos/get repos/get-branch repos/get-branch-protection
  repos/get-branch-rules repos/get-environment repos/list-deployment-branch-policies
  repos/get-combined-status-for-ref repos/get-commit repos/get-content repos/list-branches repos/list-commits
  repos/list-commit-statuses-for-ref repos/list-pull-requests-associated-with-commit repos/update
  repos/update-branch-protection
  users/get-authenticated
`
  .trim()
  .split(/\s+/);

/** The payloads of events that the server makes from its own state. */
const webhooks = `
  merge-group-checks-requested pull-request-closed pull-request-opened pull-request-reopened pull-request-synchronize
  push workflow-run-completed workflow-run-in-progress workflow-run-requested
`
  .trim()
  .split(/\s+/);

const page = 'after before first last';
const pullFilter = `${page} states headRefName baseRefName labels orderBy`;

/** Type -> its fields, each with the arguments that the server honours: `name` or `name(argument ...)`. */
const types: Record<string, string> = {
  Query: 'node(id) nodes(ids) rateLimit repository(owner name) viewer',
  Mutation: `addComment(input) addLabelsToLabelable(input) addPullRequestReview(input) closePullRequest(input)
    convertPullRequestToDraft(input) createCommitOnBranch(input) createPullRequest(input) createRef(input)
    deleteRef(input) disablePullRequestAutoMerge(input) enablePullRequestAutoMerge(input) enqueuePullRequest(input)
    markPullRequestReadyForReview(input) mergePullRequest(input) reopenPullRequest(input)
    updateIssueComment(input) updatePullRequest(input) updateRef(input) updateRefs(input)`,
  Node: 'id',
  Actor: 'avatarUrl login resourcePath url',
  RepositoryOwner: 'avatarUrl id login resourcePath url',
  GitObject: 'abbreviatedOid commitResourcePath commitUrl id oid repository',
  GitSignature: 'email isValid payload signature state wasSignedByGitHub',
  Labelable: `labels(${page})`,
  User: 'avatarUrl databaseId id login name resourcePath url',
  Bot: 'avatarUrl databaseId id login resourcePath url',
  Organization: 'avatarUrl databaseId id login name resourcePath url',
  RateLimit: 'cost limit nodeCount remaining resetAt used',
  PageInfo: 'endCursor hasNextPage hasPreviousPage startCursor',
  Repository: `autoMergeAllowed branchProtectionRules(${page}) createdAt databaseId defaultBranchRef deleteBranchOnMerge
    deployments(${page} environments orderBy) description id isArchived isEmpty isFork isPrivate label(name) labels(${page}) mergeCommitAllowed
    mergeCommitMessage mergeQueue(branch) name nameWithOwner object(expression oid) owner pullRequest(number)
    pullRequests(${pullFilter}) pushedAt rebaseMergeAllowed ref(qualifiedName) refs(${page} refPrefix query)
    resourcePath squashMergeAllowed squashMergeCommitMessage sshUrl updatedAt url viewerCanAdminister viewerPermission
    visibility`,
  MergeQueue: 'id url',
  MergeQueueEntry: 'enqueuedAt enqueuer id position pullRequest state',
  Deployment: 'commitOid createdAt environment id latestStatus state',
  DeploymentConnection: 'nodes pageInfo totalCount',
  DeploymentStatus: 'createdAt description id state',
  DeploymentOrder: 'direction field',
  BranchProtectionRule: `allowsDeletions allowsForcePushes dismissesStaleReviews id isAdminEnforced pattern
    requiredApprovingReviewCount requiredStatusCheckContexts requiresApprovingReviews requiresLinearHistory
    requiresStatusChecks requiresStrictStatusChecks`,
  BranchProtectionRuleConnection: 'nodes pageInfo totalCount',
  Ref: `associatedPullRequests(${pullFilter}) branchProtectionRule compare(headRef) id name prefix repository target`,
  RefConnection: 'edges nodes pageInfo totalCount',
  RefEdge: 'cursor node',
  Comparison: `aheadBy baseTarget behindBy commits(${page}) headTarget id status`,
  ComparisonCommitConnection: 'nodes pageInfo totalCount',
  Blob: 'abbreviatedOid byteSize commitResourcePath commitUrl id isBinary isTruncated oid repository text',
  Tree: 'abbreviatedOid commitResourcePath commitUrl entries id oid repository',
  TreeEntry: 'mode name object oid path size type',
  Tag: 'abbreviatedOid commitResourcePath commitUrl id message name oid repository target',
  Commit: `abbreviatedOid additions associatedPullRequests(${page}) author authoredDate changedFilesIfAvailable
    commitResourcePath commitUrl committedDate committer deletions file(path) history(${page} path since until) id
    message messageBody messageHeadline oid parents(${page}) repository resourcePath signature status
    statusCheckRollup tree url`,
  GitActor: 'avatarUrl date email name user',
  CommitConnection: 'edges nodes pageInfo totalCount',
  CommitEdge: 'cursor node',
  CommitHistoryConnection: 'edges nodes pageInfo totalCount',
  Status: 'commit contexts id state',
  StatusContext: 'avatarUrl commit context createdAt creator description id state targetUrl',
  StatusCheckRollup: `commit contexts(${page}) id state`,
  StatusCheckRollupContextConnection: 'nodes pageInfo totalCount',
  StatusCheckRollupContext: '*',
  CheckRun:
    'completedAt conclusion databaseId detailsUrl externalId id name permalink startedAt status summary title url',
  PullRequest: `additions author authorAssociation autoMergeRequest baseRef baseRefName baseRefOid baseRepository body bodyText
    changedFiles closed closedAt comments(${page}) commits(${page}) createdAt databaseId deletions files(${page})
    headRef headRefName headRefOid headRepository headRepositoryOwner id isCrossRepository isDraft isInMergeQueue
    isMergeQueueEnabled labels(${page}) locked maintainerCanModify mergeCommit mergeQueue mergeStateStatus mergeable merged
    mergedAt mergedBy number permalink potentialMergeCommit repository resourcePath reviewDecision
    reviews(${page} author states) state statusCheckRollup timelineItems(${page} itemTypes) title updatedAt url
    viewerCanEnableAutoMerge viewerDidAuthor`,
  PullRequestTimelineItems: 'ClosedEvent',
  PullRequestTimelineItemsConnection: 'nodes pageInfo totalCount',
  ClosedEvent: 'actor createdAt id url',
  PullRequestConnection: 'edges nodes pageInfo totalCount',
  PullRequestEdge: 'cursor node',
  AutoMergeRequest: 'authorEmail commitBody commitHeadline enabledAt enabledBy mergeMethod pullRequest',
  PullRequestCommit: 'commit id pullRequest url',
  PullRequestCommitConnection: 'nodes pageInfo totalCount',
  PullRequestChangedFile: 'additions changeType deletions path',
  PullRequestChangedFileConnection: 'nodes pageInfo totalCount',
  PullRequestReview: 'author body commit createdAt databaseId id pullRequest state submittedAt updatedAt url',
  PullRequestReviewConnection: 'nodes pageInfo totalCount',
  PullRequestReviewEdge: 'cursor node',
  IssueComment: 'author body bodyText createdAt databaseId id pullRequest repository updatedAt url viewerDidAuthor',
  IssueCommentConnection: 'edges nodes pageInfo totalCount',
  IssueCommentEdge: 'cursor node',
  Label: 'color createdAt description id isDefault name repository url',
  LabelConnection: 'nodes pageInfo totalCount',
  IssueOrder: 'direction field',
  AddCommentInput: 'body clientMutationId subjectId',
  AddCommentPayload: 'clientMutationId commentEdge subject',
  AddLabelsToLabelableInput: 'clientMutationId labelIds labelableId',
  AddLabelsToLabelablePayload: 'clientMutationId labelable',
  AddPullRequestReviewInput: 'body clientMutationId commitOID event pullRequestId',
  AddPullRequestReviewPayload: 'clientMutationId pullRequestReview reviewEdge',
  ClosePullRequestInput: 'clientMutationId pullRequestId',
  ClosePullRequestPayload: 'clientMutationId pullRequest',
  ConvertPullRequestToDraftInput: 'clientMutationId pullRequestId',
  ConvertPullRequestToDraftPayload: 'clientMutationId pullRequest',
  CommittableBranch: 'branchName id repositoryNameWithOwner',
  CommitMessage: 'body headline',
  FileAddition: 'contents path',
  FileChanges: 'additions deletions',
  FileDeletion: 'path',
  CreateCommitOnBranchInput: 'branch clientMutationId expectedHeadOid fileChanges message',
  CreateCommitOnBranchPayload: 'clientMutationId commit ref',
  CreatePullRequestInput: `baseRefName body clientMutationId draft headRefName headRepositoryId maintainerCanModify
    repositoryId title`,
  CreatePullRequestPayload: 'clientMutationId pullRequest',
  CreateRefInput: 'clientMutationId name oid repositoryId',
  CreateRefPayload: 'clientMutationId ref',
  DeleteRefInput: 'clientMutationId refId',
  DeleteRefPayload: 'clientMutationId',
  DisablePullRequestAutoMergeInput: 'clientMutationId pullRequestId',
  DisablePullRequestAutoMergePayload: 'actor clientMutationId pullRequest',
  EnablePullRequestAutoMergeInput: `authorEmail clientMutationId commitBody commitHeadline expectedHeadOid mergeMethod
    pullRequestId`,
  EnablePullRequestAutoMergePayload: 'actor clientMutationId pullRequest',
  EnqueuePullRequestInput: 'clientMutationId expectedHeadOid pullRequestId',
  EnqueuePullRequestPayload: 'clientMutationId mergeQueueEntry',
  MarkPullRequestReadyForReviewInput: 'clientMutationId pullRequestId',
  MarkPullRequestReadyForReviewPayload: 'clientMutationId pullRequest',
  MergePullRequestInput: `authorEmail clientMutationId commitBody commitHeadline expectedHeadOid mergeMethod
    pullRequestId`,
  MergePullRequestPayload: 'actor clientMutationId pullRequest',
  RefUpdate: 'afterOid beforeOid force name',
  ReopenPullRequestInput: 'clientMutationId pullRequestId',
  ReopenPullRequestPayload: 'clientMutationId pullRequest',
  UpdateIssueCommentInput: 'body clientMutationId id',
  UpdateIssueCommentPayload: 'clientMutationId issueComment',
  UpdatePullRequestInput: 'baseRefName body clientMutationId maintainerCanModify pullRequestId state title',
  UpdatePullRequestPayload: 'actor clientMutationId pullRequest',
  UpdateRefInput: 'clientMutationId force oid refId',
  UpdateRefPayload: 'clientMutationId ref',
  UpdateRefsInput: 'clientMutationId refUpdates repositoryId',
  UpdateRefsPayload: 'clientMutationId',
};

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
type JsonObject = { [key: string]: Json };

const PROSE = new Set(
  `description example examples title summary externalDocs tags deprecated discriminator x-github x-multi-segment
  x-githubEnterpriseOnly`.split(/\s+/),
);

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** OpenAPI 3.0 -> JSON Schema: `nullable` becomes a type, `oneOf` (which overlaps in this description) `anyOf`. */
function toJsonSchema(value: Json, isProperties = false): Json {
  if (Array.isArray(value)) return value.map((entry) => toJsonSchema(entry));
  if (!isObject(value)) return value;
  if (typeof value.$ref === 'string') {
    return { $ref: value.$ref.replace('#/components/schemas/', 'github#/schemas/') };
  }
  const schema: JsonObject = {};
  for (const [key, entry] of Object.entries(value)) {
    if (isProperties) schema[key] = toJsonSchema(entry);
    else if (key === 'oneOf') schema.anyOf = toJsonSchema(entry);
    else if (key !== 'nullable' && !PROSE.has(key)) schema[key] = toJsonSchema(entry, key === 'properties');
  }
  if (isProperties || value.nullable !== true) return schema;
  if (typeof schema.type === 'string') schema.type = [schema.type, 'null'];
  if (Array.isArray(schema.enum)) schema.enum = [...new Set([...schema.enum, null])];
  if (Array.isArray(schema.type)) return schema;
  return { anyOf: [schema, { type: 'null' }] };
}

/**
 * Where the description is wrong: what a pull request or a run says of its head is null when that repository was deleted
 * (github/rest-api-description#1586, and GraphQL's `headRepository`). Schema -> the fields that are null then.
 */
const nullable: [schema: RegExp, path: string][] = [
  [/^pull-request(-simple)?$/, 'head.repo'],
  [/^pull-request(-simple)?$/, 'head.user'],
  [/^workflow-run$/, 'head_repository'],
  [/^webhook-workflow-run-/, 'workflow_run.head_repository'],
];

function correct(name: string, schema: Json): Json {
  for (const [pattern, path] of nullable) {
    if (!pattern.test(name)) continue;
    const fields = path.split('.');
    const last = fields.pop()!;
    let properties = (schema as JsonObject).properties as JsonObject;
    for (const field of fields) properties = (properties[field] as JsonObject).properties as JsonObject;
    properties[last] = { anyOf: [properties[last]!, { type: 'null' }] };
  }
  return schema;
}

function extractOpenApi(text: string): string {
  const api = JSON.parse(text) as JsonObject;
  const components = api.components as { [kind: string]: JsonObject };
  const resolve = (value: Json | undefined): JsonObject => {
    if (!isObject(value)) return {};
    if (typeof value.$ref !== 'string') return value;
    const [, , kind, name] = value.$ref.split('/');
    return components[kind!]![name!] as JsonObject;
  };
  const jsonSchemaOf = (holder: JsonObject): Json => {
    const content = isObject(holder.content) ? holder.content : {};
    const media = content['application/json'] ?? Object.values(content)[0];
    return isObject(media) && media.schema !== undefined ? toJsonSchema(media.schema) : null;
  };

  const extracted: JsonObject[] = [];
  for (const [path, methods] of Object.entries(api.paths as JsonObject)) {
    for (const [method, operation] of Object.entries(methods as JsonObject)) {
      if (!isObject(operation) || !operations.includes(String(operation.operationId))) continue;
      const parameters = ((operation.parameters ?? []) as Json[]).map(resolve);
      const responses: JsonObject = {};
      for (const [status, response] of Object.entries(operation.responses as JsonObject)) {
        if (/^2|^302$/.test(status)) responses[status] = jsonSchemaOf(resolve(response));
      }
      const docs = operation.externalDocs;
      extracted.push({
        id: operation.operationId!,
        method: method.toUpperCase(),
        path,
        documentation: isObject(docs) ? (docs.url ?? null) : null,
        parameters: parameters.map((parameter) => ({
          name: parameter.name!,
          in: parameter.in!,
          required: parameter.required === true,
          multiSegment: parameter['x-multi-segment'] === true,
          schema: toJsonSchema(parameter.schema ?? {}),
        })),
        body: operation.requestBody === undefined ? null : jsonSchemaOf(resolve(operation.requestBody)),
        responses,
      });
    }
  }
  const events: JsonObject = {};
  for (const name of webhooks) {
    const { post } = ((api['x-webhooks'] as JsonObject)[name] ?? {}) as JsonObject;
    if (!isObject(post)) throw new Error(`not in the OpenAPI description: the event ${name}`);
    events[name] = jsonSchemaOf(resolve(post.requestBody));
  }
  const missing = operations.filter((id) => !extracted.some((operation) => operation.id === id));
  if (missing.length > 0) throw new Error(`not in the OpenAPI description: ${missing.join(', ')}`);
  extracted.sort((a, b) => (String(a.id) < String(b.id) ? -1 : 1));

  const schemas: JsonObject = {};
  const reach = (value: Json): void => {
    if (Array.isArray(value)) value.forEach(reach);
    if (!isObject(value)) return;
    const name = typeof value.$ref === 'string' ? value.$ref.split('/').at(-1)! : undefined;
    if (name !== undefined && schemas[name] === undefined) {
      schemas[name] = {};
      schemas[name] = correct(name, toJsonSchema(components.schemas![name]!));
      reach(schemas[name]);
    }
    Object.values(value).forEach(reach);
  };
  reach(extracted);
  reach(events);
  const sorted = Object.fromEntries(Object.entries(schemas).sort(([a], [b]) => (a < b ? -1 : 1)));
  const lines = [
    `{"source":${JSON.stringify(OPENAPI)},"licence":"MIT, Copyright (c) 2020 Octokit contributors",`,
    `"operations":[\n${extracted.map((operation) => JSON.stringify(operation)).join(',\n')}\n],`,
    `"webhooks":{\n${Object.entries(events)
      .map(([name, schema]) => `${JSON.stringify(name)}:${JSON.stringify(schema)}`)
      .join(',\n')}\n},`,
    `"schemas":{\n${Object.entries(sorted)
      .map(([name, schema]) => `${JSON.stringify(name)}:${JSON.stringify(schema)}`)
      .join(',\n')}\n}}`,
  ];
  return `${lines.join('\n')}\n`;
}

function namedType(type: TypeNode): string {
  return type.kind === Kind.NAMED_TYPE ? type.name.value : namedType(type.type);
}

function parseSelection(text: string): Map<string, string[]> {
  const fields = new Map<string, string[]>();
  for (const match of text.matchAll(/(\w+)(?:\(([^)]*)\))?/g)) fields.set(match[1]!, match[2]?.split(/\s+/) ?? []);
  return fields;
}

function extractGraphql(sdl: string): string {
  const definitions = parse(sdl).definitions;
  const byName = new Map<string, DefinitionNode>();
  for (const definition of definitions) {
    if ('name' in definition && definition.name !== undefined) byName.set(definition.name.value, definition);
  }
  const selections = new Map(Object.entries(types).map(([name, text]) => [name, parseSelection(text)]));
  const needed = new Set(selections.keys());
  const kept: DefinitionNode[] = [];

  const pickValues = (owner: string, values: readonly InputValueDefinitionNode[], names: string[]) =>
    names.map((name) => {
      const value = values.find((candidate) => candidate.name.value === name);
      if (value === undefined) throw new Error(`${owner} has no ${name}`);
      needed.add(namedType(value.type));
      return value;
    });
  const pickFields = (owner: string, fields: readonly FieldDefinitionNode[]) =>
    [...selections.get(owner)!].map(([name, names]) => {
      const field = fields.find((candidate) => candidate.name.value === name);
      if (field === undefined) throw new Error(`${owner} has no field ${name}`);
      needed.add(namedType(field.type));
      const required = (field.arguments ?? []).filter((argument) => argument.type.kind === Kind.NON_NULL_TYPE);
      for (const { name: argument } of required) {
        if (!names.includes(argument.value)) throw new Error(`${owner}.${name} needs its argument ${argument.value}`);
      }
      return { ...field, arguments: pickValues(`${owner}.${name}`, field.arguments ?? [], names) };
    });
  const keepsAll = (type: string, name: string) =>
    selections.has(name) && [...selections.get(name)!.keys()].every((field) => selections.get(type)!.has(field));

  for (const name of selections.keys()) {
    const definition = byName.get(name);
    if (definition === undefined) throw new Error(`the GraphQL schema has no type ${name}`);
    if (definition.kind === Kind.INPUT_OBJECT_TYPE_DEFINITION) {
      const names = [...selections.get(name)!.keys()];
      kept.push({ ...definition, fields: pickValues(name, definition.fields ?? [], names) });
    } else if (definition.kind === Kind.OBJECT_TYPE_DEFINITION || definition.kind === Kind.INTERFACE_TYPE_DEFINITION) {
      const interfaces = (definition.interfaces ?? []).filter((one) => keepsAll(name, one.name.value));
      kept.push({ ...definition, interfaces, fields: pickFields(name, definition.fields ?? []) });
    } else if (definition.kind === Kind.UNION_TYPE_DEFINITION && selections.get(name)!.size > 0) {
      const names = selections.get(name)!;
      kept.push({ ...definition, types: (definition.types ?? []).filter((one) => names.has(one.name.value)) });
    } else {
      kept.push(definition);
    }
  }
  for (const name of needed) {
    if (selections.has(name) || ['String', 'Int', 'Float', 'Boolean', 'ID'].includes(name)) continue;
    const definition = byName.get(name);
    const isLeaf = definition?.kind === Kind.ENUM_TYPE_DEFINITION || definition?.kind === Kind.SCALAR_TYPE_DEFINITION;
    if (!isLeaf) throw new Error(`${name} is used, but not selected`);
    kept.push(definition);
  }
  const bare = kept.map((definition) =>
    visit(definition, {
      enter: (node) => ('description' in node ? { ...node, description: undefined } : undefined),
      Directive: () => null,
    }),
  );
  return bare.map((definition) => print(definition)).join('\n\n');
}

function readOpenApi(tarball: string | undefined): string {
  const folder = mkdtempSync(join(tmpdir(), 'extract-github-api-'));
  try {
    const packed =
      tarball ??
      join(folder, execFileSync('npm', ['pack', OPENAPI, '--silent'], { cwd: folder, encoding: 'utf8' }).trim());
    const member = 'package/generated/api.github.com.json';
    return execFileSync('tar', ['-xzOf', packed, member], { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const sdl = extractGraphql(schema.idl);
writeFileSync(new URL('openapi.json', target), extractOpenApi(readOpenApi(process.argv[2])));
writeFileSync(
  new URL('graphql-schema.ts', target),
  [
    '// Made by scripts/extract-github-api.ts from @octokit/graphql-schema (MIT, Copyright (c) GitHub 2025).',
    `export const graphqlSchema = /* GraphQL */ \`\n${sdl.replaceAll('`', '\\`').replaceAll('${', '\\${')}\n\`;`,
    '',
  ].join('\n'),
);
