import { Stack as Resolved } from '../../../infra/local/template/stack.ts';
import type { Template as LocalTemplate } from '../../../infra/local/template/template.ts';
import { element, Refused, result, type Answer } from './answers.ts';
import { ACCOUNT, REGION } from './place.ts';
import { inOrder, parse, type Template } from './template.ts';

interface Stack {
  readonly name: string;
  readonly arn: string;
  readonly number: number;
  status: string;
  is_protected: boolean;
  /** As it was given: nothing before the first change set is executed. */
  text: string;
  template: Template;
}

interface ChangeSet {
  readonly arn: string;
  readonly stack: Stack;
  readonly text: string;
  readonly template: Template;
  readonly changes: readonly Change[];
}

interface Change {
  readonly action: 'Add' | 'Modify' | 'Remove';
  readonly id: string;
  readonly type: string;
}

const NOTHING: Template = { Resources: {} };

/** CloudFormation's stacks: what it refuses is refused, what it would make is taken for made. */
export class CloudFormation {
  readonly #stacks: Stack[] = [];
  readonly #changes = new Map<string, ChangeSet>();
  readonly #read: (url: string) => Buffer | undefined;
  readonly #actions: Readonly<Record<string, (query: URLSearchParams) => string>> = {
    DescribeStacks: (query) => element('Stacks', [shown(this.#stack(query))]),
    GetTemplate: (query) => element('TemplateBody', this.#stack(query).text),
    CreateChangeSet: (query) => this.#create(query),
    DescribeChangeSet: (query) => describe(this.#changeSet(query)),
    ExecuteChangeSet: (query) => this.#execute(this.#changeSet(query)),
    DeleteChangeSet: (query) => this.#drop(query),
    DescribeStackEvents: () => element('StackEvents', []),
    UpdateTerminationProtection: (query) => this.#protect(query),
    DeleteStack: (query) => this.#delete(this.#stack(query)),
  };

  /** @param read What was uploaded to an address. */
  constructor(read: (url: string) => Buffer | undefined) {
    this.#read = read;
  }

  answer(action: string, query: URLSearchParams): Answer {
    const act = this.#actions[action];
    if (act === undefined) throw new Refused('InvalidAction', `Could not find operation ${action}`);
    return result(action, act(query));
  }

  /** The template that a stack runs by. @throws Refused when there is no such stack */
  templateOf(name: string): Template {
    return this.#stack(new URLSearchParams({ StackName: name })).template;
  }

  #stack(query: URLSearchParams): Stack {
    const name = query.get('StackName');
    const is_named = (stack: Stack): boolean =>
      stack.arn === name || (stack.name === name && stack.status !== 'DELETE_COMPLETE');
    const found = this.#stacks.find(is_named);
    if (found === undefined) throw invalid(`Stack with id ${name} does not exist`);
    return found;
  }

  #changeSet(query: URLSearchParams): ChangeSet {
    const arn = this.#arnOfSet(query);
    const found = this.#changes.get(arn);
    if (found === undefined) {
      throw new Refused('ChangeSetNotFound', `ChangeSet [${arn}] does not exist`);
    }
    return found;
  }

  /** A change set is called by its ARN, or by its name and that of its stack. */
  #arnOfSet(query: URLSearchParams): string {
    const name = query.get('ChangeSetName') ?? '';
    return name.startsWith('arn:') ? name : arnOf('changeSet', name, this.#stack(query));
  }

  #create(query: URLSearchParams): string {
    const bytes = this.#read(query.get('TemplateURL') ?? '');
    if (bytes === undefined) throw invalid('S3 error: The specified key does not exist.');
    const capabilities = [...query].filter(([name]) => name.startsWith('Capabilities.member.'));
    const template = parse(
      bytes,
      capabilities.map(([, value]) => value),
    );
    const stack =
      query.get('ChangeSetType') === 'CREATE' ? this.#review(query) : this.#stack(query);
    const arn = arnOf('changeSet', query.get('ChangeSetName') ?? '', stack);
    const changes = changesOf(stack.template, template);
    this.#changes.set(arn, { arn, stack, text: bytes.toString(), template, changes });
    return element('Id', arn) + element('StackId', stack.arn);
  }

  /** A stack that is none yet. */
  #review(query: URLSearchParams): Stack {
    const name = query.get('StackName') ?? '';
    const found = this.#stacks.find((stack) => stack.name === name && !isGone(stack));
    if (found !== undefined && found.status !== 'REVIEW_IN_PROGRESS') {
      throw invalid(
        `Stack [${name}] already exists and cannot be created again with the changeSet.`,
      );
    }
    if (found !== undefined) return found;
    const number = this.#stacks.length + 1;
    const arn = arnOf('stack', name, { number });
    const status = 'REVIEW_IN_PROGRESS';
    const stack: Stack = {
      name,
      arn,
      number,
      status,
      is_protected: false,
      text: '',
      template: NOTHING,
    };
    this.#stacks.push(stack);
    return stack;
  }

  #execute({ arn, stack, text, template }: ChangeSet): string {
    const status = stack.status === 'REVIEW_IN_PROGRESS' ? 'CREATE_COMPLETE' : 'UPDATE_COMPLETE';
    Object.assign(stack, { text, template, status });
    this.#changes.delete(arn);
    return '';
  }

  /** Deleting one that is not there is no error. */
  #drop(query: URLSearchParams): string {
    this.#changes.delete(this.#arnOfSet(query));
    return '';
  }

  #protect(query: URLSearchParams): string {
    const stack = this.#stack(query);
    stack.is_protected = query.get('EnableTerminationProtection') === 'true';
    return element('StackId', stack.arn);
  }

  #delete(stack: Stack): string {
    if (stack.is_protected) {
      throw invalid(
        `Stack [${stack.name}] cannot be deleted while TerminationProtection is enabled`,
      );
    }
    stack.status = 'DELETE_COMPLETE';
    return '';
  }
}

const invalid = (message: string): Refused => new Refused('ValidationError', message);
const isGone = ({ status }: Stack): boolean => status === 'DELETE_COMPLETE';

function arnOf(kind: string, name: string, { number }: Pick<Stack, 'number'>): string {
  return `arn:aws:cloudformation:${REGION}:${ACCOUNT}:${kind}/${name}/${number}`;
}

function shown({ name, arn, status, is_protected, template }: Stack): string {
  const outputs = template === NOTHING ? {} : new Resolved(template as LocalTemplate).outputs;
  return element('member', [
    element('StackName', name),
    element('StackId', arn),
    element('StackStatus', status),
    element('CreationTime', '2026-11-30T00:00:00Z'),
    element('EnableTerminationProtection', is_protected),
    element(
      'Outputs',
      Object.entries(outputs).map(([key, value]) =>
        element('member', [element('OutputKey', key), element('OutputValue', value)]),
      ),
    ),
  ]);
}

function changesOf(before: Template, after: Template): Change[] {
  const added = inOrder(after).flatMap((id): Change[] => {
    const [old, resource] = [before.Resources[id], after.Resources[id]];
    if (resource === undefined || JSON.stringify(old) === JSON.stringify(resource)) return [];
    return [{ action: old === undefined ? 'Add' : 'Modify', id, type: resource.Type }];
  });
  const gone = Object.entries(before.Resources).filter(([id]) => after.Resources[id] === undefined);
  return [
    ...added,
    ...gone.map(([id, { Type }]): Change => ({ action: 'Remove', id, type: Type })),
  ];
}

function describe({ arn, stack, changes }: ChangeSet): string {
  const is_empty = changes.length === 0;
  const reason = "The submitted information didn't contain changes.";
  return [
    element('ChangeSetId', arn),
    element('ChangeSetName', arn.split('/')[1]),
    element('StackId', stack.arn),
    element('StackName', stack.name),
    element('Status', is_empty ? 'FAILED' : 'CREATE_COMPLETE'),
    ...(is_empty ? [element('StatusReason', reason)] : []),
    element(
      'Changes',
      changes.map(({ action, id, type }) => {
        const change = [
          element('Action', action),
          element('LogicalResourceId', id),
          element('ResourceType', type),
        ];
        return element('member', [element('Type', 'Resource'), element('ResourceChange', change)]);
      }),
    ),
  ].join('');
}
