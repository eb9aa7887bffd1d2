/** One entry of `errors` in a body of status 422. */
export type FieldError = { resource: string; field?: string; code: string; message?: string } | string;

/** GraphQL's `type` of an error. */
export type GraphqlErrorType = 'FORBIDDEN' | 'NOT_FOUND' | 'STALE_DATA' | 'UNPROCESSABLE' | 'INSUFFICIENT_SCOPES';

/** An answer of GitHub which is not a success, for REST (status, body) and GraphQL (type, message) alike. */
export class ApiError extends Error {
  readonly status: number;
  readonly errors: FieldError[] | undefined;
  readonly type: GraphqlErrorType;
  readonly headers: Record<string, string>;

  constructor(
    status: number,
    message: string,
    options: { errors?: FieldError[]; type?: GraphqlErrorType; headers?: Record<string, string> } = {},
  ) {
    super(message);
    this.name = 'ApiError';
    this.status = status;
    this.errors = options.errors;
    this.type = options.type ?? (status === 404 ? 'NOT_FOUND' : status === 403 ? 'FORBIDDEN' : 'UNPROCESSABLE');
    this.headers = options.headers ?? {};
  }
}

export function notFound(message = 'Not Found'): ApiError {
  return new ApiError(404, message);
}

/** GitHub's limit of a comment's or a description's length, in characters. */
export const BODY_LIMIT = 65_536;

/** A 422 with GitHub's general message; the reason is in `errors`. */
export function validationFailed(...errors: FieldError[]): ApiError {
  return new ApiError(422, 'Validation Failed', { errors });
}

export function unprocessable(message: string): ApiError {
  return new ApiError(422, message);
}
