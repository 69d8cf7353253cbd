/**
 * Every property of every resource is one that CloudFormation knows, of a type that it takes, and
 * none that it demands is missing. Method: AWS's own resource schemas; planted mistakes fail.
 */
import { expect, test } from 'vitest';
import { problems } from './schema.ts';
import { synth, type Template } from './stack.ts';

const variants: [name: string, settings: Record<string, unknown>][] = [
  ['the default deployment', {}],
  [
    'a deployment with everything',
    {
      removal_policy: 'destroy',
      model_provider: 'bedrock',
      alarm_email: 'ops@example.com',
      domain_name: 'agents.example.com',
      certificate_arn: 'arn:aws:acm:us-east-1:111122223333:certificate/abc',
      source_maps: true,
    },
  ],
  ['one that works on a restored table', { restored_table: 'Reverie-restored' }],
];

test.each(variants)('%s has nothing that CloudFormation would refuse', (_, settings) => {
  const made = synth(settings).template;
  expect(problems(made)).toEqual([]);
  // Anything else comes back as a question mark, and every later diff has it.
  expect(JSON.stringify(made)).toMatch(/^[\x20-\x7e]*$/);
  // Every partition has its own: a literal one is right in the commercial regions alone.
  expect(JSON.stringify(made).match(/arn:aws[^:]*:(?!acm:us-east-1:1111).{40}/g)).toBeNull();
});

const { template } = synth();

/** The default template with one value changed. */
function planted(type: string, change: (properties: Record<string, unknown>) => void): Template {
  const copy = structuredClone(template) as Template;
  const found = Object.values(copy.Resources).find(({ Type }) => Type === type);
  if (!found) throw new Error(`no ${type}`);
  change(found.Properties);
  return copy;
}

const mistakes: [
  says: string,
  type: string,
  change: (properties: Record<string, unknown>) => void,
][] = [
  ['MemorySise is unknown', 'AWS::Lambda::Function', (fn) => (fn['MemorySise'] = 512)],
  ['Code is missing', 'AWS::Lambda::Function', (fn) => delete fn['Code']],
  ['Timeout: not integer', 'AWS::Lambda::Function', (fn) => (fn['Timeout'] = 'soon')],
  [
    'TimeToLiveSpecification.Atribute is unknown',
    'AWS::DynamoDB::Table',
    (table) => Object.assign(table['TimeToLiveSpecification'] as object, { Atribute: 'x' }),
  ],
  [
    'GlobalSecondaryIndexes.0.Projection is missing',
    'AWS::DynamoDB::Table',
    (table) =>
      delete (table['GlobalSecondaryIndexes'] as Record<string, unknown>[])[0]?.['Projection'],
  ],
  [
    'GlobalSecondaryIndexes: not array',
    'AWS::DynamoDB::Table',
    (table) => (table['GlobalSecondaryIndexes'] = {}),
  ],
];

test.each(mistakes)('a planted mistake is seen: %s', (says, type, change) => {
  expect(problems(planted(type, change))).toEqual([expect.stringContaining(says)]);
});
