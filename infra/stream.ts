import type { Construct } from 'constructs';
import { limits } from '#shared/core/limits.ts';
import { NodeFunction } from './node-function.ts';
import type { Secrets } from './secrets.ts';
import type { Settings } from './settings.ts';
import { key, objects, rowReads, rows, secrets, listenMarks } from './grants.ts';
import type { Storage } from './storage.ts';

export interface StreamProps {
  readonly settings: Settings;
  readonly storage: Storage;
  readonly secrets: Secrets;
}

/** Tails the log of one thread for one client: reads everything, writes nothing but that it listens. */
export class Stream extends NodeFunction {
  constructor(scope: Construct, id: string, props: StreamProps) {
    const { settings, storage } = props;
    const adminKeyArn = props.secrets.admin.secretArn;
    super(scope, id, {
      room: 'stream',
      description: 'Streams the events of a thread to one client',
      settings,
      timeout_s: limits.stream_timeout_s,
      memory_mib: limits.stream_memory_mib,
      environment: {
        TABLE_NAME: storage.table.tableName,
        BUCKET_NAME: storage.bucket.bucketName,
        ADMIN_KEY_SECRET_ARN: adminKeyArn,
      },
      grants: [
        rows(storage, rowReads),
        listenMarks(storage),
        ...(['sessions', 'memory_stores', 'dreams'] as const).map((prefix) =>
          objects(storage, prefix, ['s3:GetObject']),
        ),
        key(storage, 'write'),
        ...secrets(adminKeyArn),
      ],
    });
  }
}
