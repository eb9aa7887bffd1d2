import { type DocumentNode, GraphQLError, type GraphQLSchema, Kind, TypeInfo, visit, visitWithTypeInfo } from 'graphql';

/** A release of GitHub Enterprise Server: its schema is an older one. */
export type Enterprise = {
  /** `3.11`. */
  version: string;
  /** Members that it lacks whatever its release, as `Type.field`. */
  without?: readonly string[];
};

/** Members that older releases have as previews, for a media type in `Accept` only: GitHub's previews.json of 3.11. */
const previews: Readonly<Record<string, string>> = {
  'Mutation.updateRefs': 'update-refs',
  'PullRequest.canBeRebased': 'merge-info',
  'PullRequest.mergeStateStatus': 'merge-info',
};
const lastPreviewRelease = [3, 12];

/** The release in which a member came. */
const since: Readonly<Record<string, readonly number[]>> = {
  'Mutation.disablePullRequestAutoMerge': [3, 1],
  'Mutation.enablePullRequestAutoMerge': [3, 1],
  'PullRequest.autoMergeRequest': [3, 1],
  'PullRequest.isMergeQueueEnabled': [3, 12],
  'PullRequest.mergeQueue': [3, 12],
  'Repository.autoMergeAllowed': [3, 1],
  'Repository.mergeQueue': [3, 12],
};

/** What a document asks of a schema that lacks it, in GitHub's words (graphql-ruby's). */
export function lackingMembers(
  schema: GraphQLSchema,
  document: DocumentNode,
  enterprise: Enterprise,
  accept: string,
): GraphQLError[] {
  const errors: GraphQLError[] = [];
  const types = new TypeInfo(schema);
  const lacks = (member: string) => isLacking(enterprise, member, accept);
  visit(
    document,
    visitWithTypeInfo(types, {
      Field(node) {
        const type = types.getParentType()?.name ?? '';
        const name = node.name.value;
        if (!lacks(`${type}.${name}`)) return;
        const extensions = { code: 'undefinedField', typeName: type, fieldName: name };
        errors.push(new GraphQLError(`Field '${name}' doesn't exist on type '${type}'`, { nodes: node, extensions }));
      },
      VariableDefinition(node) {
        const type = node.type.kind === Kind.NON_NULL_TYPE ? node.type.type : node.type;
        if (type.kind !== Kind.NAMED_TYPE) return;
        const mutation = /^([A-Z])(\w*)Input$/.exec(type.name.value);
        if (mutation === null || !lacks(`Mutation.${mutation[1]?.toLowerCase()}${mutation[2]}`)) return;
        const variable = node.variable.name.value;
        const message = `${type.name.value} isn't a defined input type (on $${variable})`;
        const extensions = { code: 'variableRequiresValidType', typeName: type.name.value, variableName: variable };
        errors.push(new GraphQLError(message, { nodes: node, extensions }));
      },
    }),
  );
  return errors;
}

function isLacking({ version, without = [] }: Enterprise, member: string, accept: string): boolean {
  if (without.includes(member)) return true;
  const release = version.split('.').map(Number);
  const first = since[member];
  if (first !== undefined && isBefore(release, first)) return true;
  const preview = previews[member];
  if (preview === undefined || isBefore(lastPreviewRelease, release)) return false;
  return !accept.includes(`application/vnd.github.${preview}-preview`);
}

function isBefore(
  [major = 0, minor = 0]: readonly number[],
  [otherMajor = 0, otherMinor = 0]: readonly number[],
): boolean {
  return major === otherMajor ? minor < otherMinor : major < otherMajor;
}
