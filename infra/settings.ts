import * as z from 'zod';
import { providers } from '#shared/models/model.ts';
import { parsePrices, type PriceOverrides } from '#shared/models/prices.ts';

/** Every setting is CDK context: `-c reverie:<name>=<value>`, or `context` of cdk.json. */
const PREFIX = 'reverie:';

/** Source: PutRetentionPolicy; CloudWatch Logs takes no other number of days. */
const RETENTION_DAYS = [
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288,
  3653,
];

/** Source: Lambda quota: 4 KB of all variables of a function; the rest of them takes the other one. */
const MODELS_BYTES_MAX = 3_000;

/** The command line gives text where cdk.json gives JSON: both are taken. */
function fromText<T extends z.ZodType>(schema: T) {
  return z.preprocess((value) => (typeof value === 'string' ? parsed(value) : value), schema);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function isPriceTable(value: unknown): boolean {
  try {
    return parsePrices(JSON.stringify(value)) !== undefined;
  } catch {
    return false;
  }
}

const count = (max: number) => fromText(z.int().min(1).max(max));
const daysOrForever = (min: number) =>
  fromText(
    z
      .int()
      .max(3650)
      .refine((days) => days === 0 || days >= min, `0, or at least ${min}`),
  );
const flag = fromText(z.boolean());
const arn = (service: string) =>
  z
    .string()
    .regex(new RegExp(`^arn:[^:]+:${service}:[^:]+:\\d{12}:.+$`), `not an ARN of ${service}`);

/** What a deployment may choose, with the sentences of the README's table. */
export const settingsShape = z.strictObject({
  stack_name: z
    .string()
    // EventBridge Scheduler takes 64 characters for the name of a group, which has `-dreams` behind this.
    .regex(/^[A-Za-z][A-Za-z0-9-]{0,56}$/, '57 letters, digits and dashes, a letter first')
    .default('Reverie')
    .describe('Name of the stack. A second one in the same account and region needs another name.'),
  log_level: z
    .enum(['DEBUG', 'INFO', 'WARN', 'ERROR'])
    .default('INFO')
    .describe('What the functions log.'),
  log_retention_days: fromText(
    z.int().refine((days) => RETENTION_DAYS.includes(days), `one of ${RETENTION_DAYS.join(', ')}`),
  )
    .default(30)
    .describe('How long CloudWatch keeps the logs; a number of days that it knows.'),
  removal_policy: z
    .enum(['retain', 'destroy'])
    .default('retain')
    .describe(
      '`retain`: table, bucket and key outlive the stack. `destroy`: `cdk destroy` deletes all data.',
    ),
  termination_protection: flag
    .optional()
    .describe(
      'Whether CloudFormation refuses to delete the stack: it does, unless `removal_policy` is `destroy`.',
    ),
  restored_table: z
    .string()
    .regex(/^[\w.-]{3,255}$/, 'not the name of a table')
    .optional()
    .describe(
      'Name of a table that was restored from the one of the stack, to work on in its place: see [Restoring](#restoring).',
    ),
  recovery_days: count(35)
    .default(35)
    .describe(
      'How far back the table can be restored; what is deleted or redacted stays in its backups for so long.',
    ),
  noncurrent_days: count(3650)
    .default(30)
    .describe('How long the bucket keeps what was overwritten or deleted by a person.'),
  memories_max: count(10_000).default(2_000).describe('Memories that one memory store may hold.'),
  memory_version_days: daysOrForever(30)
    .default(0)
    .describe(
      'How long a version of a memory is kept once a later one took over, 30 days or more; `0`: as long as its store.',
    ),
  transcript_days: daysOrForever(1)
    .default(0)
    .describe('How long transcripts are kept; `0`: as long as their session.'),
  model_provider: z
    .enum(providers)
    .default('anthropic')
    .describe('`anthropic`, `claude-platform-aws` or `bedrock`.'),
  model_ids: fromText(z.record(z.string(), z.string().min(1)))
    .optional()
    .describe('JSON object: model id that agents name → id that the provider knows.'),
  prices: fromText(
    z.custom<PriceOverrides>(isPriceTable, 'not a price table: see shared/models/prices.ts'),
  )
    .optional()
    .describe(
      'JSON object: model id → list price, over the built-in table; that of a bare id holds for its dated ids.',
    ),
  search_secret_arn: arn('secretsmanager')
    .optional()
    .describe(
      'Secret with the key of a search API, for providers without a search tool; under the default key of Secrets Manager.',
    ),
  otlp_endpoint: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe(
      'Sends OpenTelemetry GenAI spans of what threads do to this OTLP/HTTP endpoint, `/v1/traces` put behind it.',
    ),
  otlp_headers_secret_arn: arn('secretsmanager')
    .optional()
    .describe(
      'Secret with the headers that the endpoint wants: a JSON object of texts; under the default key of Secrets Manager.',
    ),
  alarm_email: z
    .email()
    .optional()
    .describe(
      'Makes a topic that mails alarms to this address, once its owner has followed the link that AWS sends.',
    ),
  alarm_topic_arn: arn('sns')
    .optional()
    .describe('Sends alarms to a topic that exists and lets CloudWatch publish.'),
  domain_name: z
    .string()
    .regex(/^([a-z0-9-]+\.)+[a-z]{2,}$/, 'not a domain name')
    .optional()
    .describe('Serves the API under this name; the output `DomainTarget` says where to point it.'),
  certificate_arn: arn('acm')
    .optional()
    .describe('Certificate of `domain_name`, in the region of the stack.'),
  throttle_rate: count(10_000)
    .default(100)
    .describe('Requests a second that the API takes; above it the answer is 429.'),
  throttle_burst: count(5_000).default(200).describe('Requests that it takes at once.'),
  dashboard: flag
    .default(true)
    .describe(
      'A CloudWatch dashboard: free as one of the first three of an account, else $3 a month.',
    ),
  source_maps: flag
    .default(false)
    .describe('Ships source maps: readable stack traces, slower cold starts.'),
  gateway_log_role: flag
    .default(true)
    .describe(
      'Sets the role by which API Gateway writes logs, one per account and region; `false` where one is set.',
    ),
});

export type Settings = Readonly<z.infer<typeof settingsShape>>;

const settingNames = Object.keys(settingsShape.shape);

/**
 * Read the settings out of CDK context.
 *
 * @throws Error that names the key, for one that does not exist or whose value is not taken.
 */
export function settingsFrom(context: Readonly<Record<string, unknown>>): Settings {
  const ours = Object.entries(context).filter(([key]) => key.toLowerCase().startsWith('reverie'));
  const stray = ours.find(([key]) => !key.startsWith(PREFIX));
  if (stray) throw new Error(`context '${stray[0]}': settings are written ${PREFIX}<name>`);
  const given = Object.fromEntries(ours.map(([key, value]) => [key.slice(PREFIX.length), value]));
  const result = settingsShape.safeParse(given);
  if (!result.success) throw new Error(result.error.issues.map(sentence).join('\n'));
  refuseTogether(result.data);
  return result.data;
}

function sentence(issue: z.core.$ZodIssue): string {
  if (issue.code === 'unrecognized_keys') {
    return `context '${PREFIX}${issue.keys.join(`', '${PREFIX}`)}' is not a setting; there are ${settingNames.join(', ')}`;
  }
  return `context '${PREFIX}${issue.path.join('.')}': ${issue.message}`;
}

function refuseTogether(settings: Settings): void {
  if ((settings.domain_name === undefined) !== (settings.certificate_arn === undefined)) {
    throw new Error(`context '${PREFIX}domain_name' and '${PREFIX}certificate_arn' go together`);
  }
  if (settings.otlp_headers_secret_arn !== undefined && settings.otlp_endpoint === undefined) {
    throw new Error(`context '${PREFIX}otlp_headers_secret_arn' needs '${PREFIX}otlp_endpoint'`);
  }
  const models_bytes = Buffer.byteLength(JSON.stringify([settings.model_ids, settings.prices]));
  if (models_bytes > MODELS_BYTES_MAX) {
    throw new Error(
      `context '${PREFIX}model_ids' and '${PREFIX}prices': ${models_bytes} bytes, of at most ${MODELS_BYTES_MAX} that a function's variables have room for; name only models that you use`,
    );
  }
  if (settings.alarm_email !== undefined && settings.alarm_topic_arn !== undefined) {
    throw new Error(
      `context '${PREFIX}alarm_email' and '${PREFIX}alarm_topic_arn': give one of them`,
    );
  }
}
