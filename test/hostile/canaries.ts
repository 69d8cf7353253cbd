import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Template } from '../../infra/local/template/template.ts';
import { fail } from '../model/replies.ts';
import { message, MODEL_KEY } from '../rig.ts';
import { repository } from './samples.ts';
import type { Field } from './siege.ts';

export const IDEMPOTENCY_KEY = 'canary-of-an-idempotency-key';
export const OTLP_HEADER = 'canary-of-an-otlp-header';

/** The template with spans that are sent where a header of a secret is asked for. */
export function sendsSpans(template: Template, endpoint: string): Template {
  const headers = { Ref: 'OtlpHeaders' };
  const of = (type: string) =>
    Object.entries(template.Resources)
      .filter(([id, { Type }]) => Type === type && id.startsWith('Step'))
      .map(([, { Properties = {} }]) => Properties);
  for (const { Environment } of of('AWS::Lambda::Function')) {
    const { Variables } = Environment as { Variables: Record<string, unknown> };
    Object.assign(Variables, { OTLP_ENDPOINT: endpoint, OTLP_HEADERS_SECRET_ARN: headers });
  }
  for (const { PolicyDocument } of of('AWS::IAM::Policy')) {
    const { Statement } = PolicyDocument as { Statement: object[] };
    Statement.push({
      Effect: 'Allow',
      Action: 'secretsmanager:GetSecretValue',
      Resource: headers,
    });
  }
  const SecretString = JSON.stringify({ authorization: `Bearer ${OTLP_HEADER}` });
  const secret = { Type: 'AWS::SecretsManager::Secret', Properties: { SecretString } };
  return { ...template, Resources: { ...template.Resources, OtlpHeaders: secret } };
}

/**
 * A session with a repository and a tool call, whose step opens every secret that there is; and a proxy
 * before the model that quotes what it was sent.
 */
export async function useSecrets({ rig, own }: Field): Promise<string> {
  const { agent_id = '', environment_id = '' } = own.ids;
  const resources = [repository];
  rig.model.on('Look at the repository.', fail(500, `bad header x-api-key: ${MODEL_KEY}`));
  const { id } = await own.client.beta.sessions.create(
    { agent: agent_id, environment_id, resources },
    { headers: { 'idempotency-key': IDEMPOTENCY_KEY } },
  );
  await own.client.beta.sessions.events.send(id, { events: [message('Look at the repository.')] });
  for (let looks = 0; looks < 1_000; looks++) {
    const { status } = await own.client.beta.sessions.retrieve(id);
    if (status === 'idle') return id;
    await rig.host.advance(200);
  }
  throw new Error('the session with a repository never came to rest');
}

/**
 * Where a secret stands that must not stand anywhere: below the data folder (rows, objects, their names,
 * logs) or in a request to the model.
 */
export async function leaksOf(
  { rig }: Field,
  secrets: Readonly<Record<string, string>>,
): Promise<string[]> {
  const folder = dirname(rig.host.logs);
  const paths = await readdir(folder, { recursive: true, withFileTypes: true });
  const leaks: string[] = [];
  for (const [name, secret] of Object.entries(secrets)) {
    for (const entry of paths) {
      const path = join(entry.parentPath, entry.name);
      if (path.includes(secret)) leaks.push(`${name} in the name ${path}`);
      if (!entry.isFile()) continue;
      const bytes = await readFile(path).catch(() => Buffer.alloc(0));
      if (bytes.includes(secret)) leaks.push(`${name} in ${path}`);
    }
    const asked = rig.model.requests.filter(({ body }) => JSON.stringify(body).includes(secret));
    if (asked.length > 0) leaks.push(`${name} in ${asked.length} model requests`);
  }
  return leaks;
}
