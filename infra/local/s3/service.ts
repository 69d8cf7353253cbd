import { AwsError } from '../aws-error.ts';
import type { HostClock } from '../clock.ts';
import type { Authorizer } from '../iam/authorizer.ts';
import type { RequestContext } from '../iam/conditions.ts';
import type { Request } from '../iam/statement.ts';
import { place } from '../place.ts';
import type { Plan, Reply, Service, WireRequest } from '../wire.ts';
import * as operations from './operations.ts';
import { verifyPresigned } from './signature.ts';
import type { ObjectStore } from './store.ts';
import { writeXml } from './xml.ts';

export interface Bucket {
  readonly name: string;
  readonly store: ObjectStore;
  /** The key that encrypts it in the account: callers need KMS permissions on it. */
  readonly kms_key_arn: string | undefined;
}

interface Operation {
  readonly name: string;
  readonly permission: string;
  /** Whether IAM is asked about the bucket or about the object. */
  readonly on_bucket?: true;
  /** What the caller must be allowed to do with the bucket's KMS key. */
  readonly kms?: 'kms:Decrypt' | 'kms:GenerateDataKey';
  readonly run: (target: operations.Target) => Promise<Reply>;
}

const { copyObject, deleteObject, deleteObjects, getObject, putObject } = operations;
const { listObjects, listVersions } = operations;

/** The operations that we speak, by method and by what the query asks for. */
const table: Readonly<Record<string, Operation>> = {
  'GET object': {
    name: 'GetObject',
    permission: 's3:GetObject',
    kms: 'kms:Decrypt',
    run: getObject,
  },
  'HEAD object': {
    name: 'HeadObject',
    permission: 's3:GetObject',
    kms: 'kms:Decrypt',
    run: getObject,
  },
  'PUT object': {
    name: 'PutObject',
    permission: 's3:PutObject',
    kms: 'kms:GenerateDataKey',
    run: putObject,
  },
  'PUT copy': {
    name: 'CopyObject',
    permission: 's3:PutObject',
    kms: 'kms:GenerateDataKey',
    run: copyObject,
  },
  'DELETE object': { name: 'DeleteObject', permission: 's3:DeleteObject', run: deleteObject },
  'DELETE version': {
    name: 'DeleteObject',
    permission: 's3:DeleteObjectVersion',
    run: deleteObject,
  },
  'GET bucket': {
    name: 'ListObjectsV2',
    permission: 's3:ListBucket',
    on_bucket: true,
    run: listObjects,
  },
  'GET versions': {
    name: 'ListObjectVersions',
    permission: 's3:ListBucketVersions',
    on_bucket: true,
    run: listVersions,
  },
  'POST delete': { name: 'DeleteObjects', permission: 's3:DeleteObject', run: deleteObjects },
};

/** A file-backed S3 of the operations that the product uses; anything else is `NotImplemented`. */
export class S3Service implements Service {
  readonly #buckets: ReadonlyMap<string, Bucket>;
  readonly #clock: HostClock;
  readonly #authorizer: Authorizer;

  constructor(buckets: readonly Bucket[], clock: HostClock, authorizer: Authorizer) {
    this.#buckets = new Map(buckets.map((bucket) => [bucket.name, bucket]));
    this.#clock = clock;
    this.#authorizer = authorizer;
  }

  plan(request: WireRequest): Plan {
    if (request.presigned) {
      verifyPresigned(request, request.principal.secret, this.#clock.now());
    }
    const { path } = request;
    const slash = path.indexOf('/', 1);
    const name = decodeURIComponent(path.slice(1, slash === -1 ? undefined : slash));
    const bucket = this.#buckets.get(name);
    if (bucket === undefined) {
      throw new AwsError('NoSuchBucket', 'The specified bucket does not exist', 404);
    }
    const key = slash === -1 ? '' : decodeURIComponent(path.slice(slash + 1));
    const operation = operationOf(request, key);
    const source = operation.run === copyObject ? operations.copySource(request, name) : undefined;
    const target = { request, key, source, store: bucket.store, now: this.#clock.now() };
    const object_arn = `arn:aws:s3:::${name}/${key}`;
    return {
      action: operation.name,
      resource: operation.on_bucket ? `arn:aws:s3:::${name}` : object_arn,
      permissions: this.#permissions(operation, bucket, target),
      run: async () => {
        const read = source ?? (operation.kms === 'kms:Decrypt' ? key : undefined);
        if (read !== undefined) await this.#mayKnow(target, read, name);
        return operation.run(target);
      },
    };
  }

  failure(error: AwsError): Reply {
    const access = error.name === 'AccessDeniedException';
    const body = {
      Code: access ? 'AccessDenied' : error.name,
      Message: error.message,
      ...error.fields,
    };
    return {
      status: access ? 403 : error.status,
      headers: { 'content-type': 'application/xml' },
      body: error.status === 304 ? '' : writeXml('Error', body),
    };
  }

  #permissions(operation: Operation, bucket: Bucket, target: operations.Target): Request[] {
    const { permission: action } = operation;
    const bucket_arn = `arn:aws:s3:::${bucket.name}`;
    if (operation.on_bucket) {
      const prefix = target.request.query.get('prefix');
      // Without a prefix the key is absent, and a policy that wants one does not allow the call.
      const context: RequestContext = prefix === null ? {} : { 's3:prefix': [prefix] };
      return [{ action, resource: bucket_arn, context }];
    }
    if (operation.name === 'DeleteObjects') {
      return operations.keysToDelete(target.request).map(({ key, version }) => ({
        action: version === undefined ? action : 's3:DeleteObjectVersion',
        resource: `${bucket_arn}/${key}`,
        context: {},
      }));
    }
    const own = { action, resource: `${bucket_arn}/${target.key}`, context: {} };
    const source: Request[] =
      target.source === undefined
        ? []
        : [{ action: 's3:GetObject', resource: `${bucket_arn}/${target.source}`, context: {} }];
    // Source: S3's conditional writes: a tag is compared for who may read.
    if (operation.run === putObject && target.request.headers['if-match'] !== undefined) {
      source.push({ ...own, action: 's3:GetObject' });
    }
    const resource = bucket.kms_key_arn;
    if (operation.kms === undefined || resource === undefined) return [...source, own];
    const context = { 'kms:viaservice': [`s3.${place.region}.amazonaws.com`] };
    const actions = target.source === undefined ? [operation.kms] : ['kms:Decrypt', operation.kms];
    return [...source, own, ...actions.map((each) => ({ action: each, resource, context }))];
  }

  /** Without s3:ListBucket a caller may not learn that an object is missing: 403 and not 404. */
  async #mayKnow(
    { store, request }: operations.Target,
    key: string,
    bucket: string,
  ): Promise<void> {
    if ((await store.meta(key)) !== undefined) return;
    const may = this.#authorizer.allows(request.principal, {
      action: 's3:ListBucket',
      resource: `arn:aws:s3:::${bucket}`,
      context: { 's3:prefix': [key] },
    });
    if (!may) throw new AwsError('AccessDenied', 'Access Denied', 403);
  }
}

function operationOf({ method, query, headers }: WireRequest, key: string): Operation {
  const asked = ['delete', 'versions'].find((name) => query.has(name));
  const of_object = headers['x-amz-copy-source'] === undefined ? 'object' : 'copy';
  const what = key === '' ? (asked ?? 'bucket') : query.has('versionId') ? 'version' : of_object;
  const read_version = what === 'version' && method !== 'DELETE' ? 'object' : what;
  const operation = table[`${method} ${read_version}`];
  const subresource = [
    'acl',
    'tagging',
    'uploads',
    'uploadId',
    'policy',
    'versioning',
    'retention',
  ];
  if (operation === undefined || subresource.some((name) => query.has(name))) {
    throw new AwsError(
      'NotImplemented',
      `The local host does not speak ${method} ${query.toString()}.`,
      501,
    );
  }
  return operation;
}
