import { BootError } from '../boot-error.ts';
import { isRecord, list, record, texts } from '../template/template.ts';
import {
  conditionHolds,
  parseConditions,
  type Condition,
  type RequestContext,
} from './conditions.ts';
import { matches } from './pattern.ts';

export interface Statement {
  /** Its name in the template; empty where it has none. */
  readonly sid: string;
  readonly allows: boolean;
  readonly actions: readonly string[];
  readonly not_actions: readonly string[] | undefined;
  readonly resources: readonly string[];
  readonly not_resources: readonly string[] | undefined;
  readonly conditions: readonly Condition[];
  /** Of a resource policy: who it speaks of. Undefined in an identity policy. */
  readonly principals: readonly string[] | undefined;
}

export interface Request {
  readonly action: string;
  readonly resource: string;
  readonly context: RequestContext;
}

const known_fields = new Set(
  'Sid Effect Action NotAction Resource NotResource Condition Principal'.split(' '),
);

/** @throws BootError for a field, operator or key that the host does not evaluate. */
export function parsePolicy(document: unknown, where: string): Statement[] {
  const { Statement } = record(document);
  const statements = Array.isArray(Statement) ? Statement : [Statement];
  return statements.filter(isRecord).map((statement) => {
    const unknown = Object.keys(statement).find((field) => !known_fields.has(field));
    if (unknown !== undefined) {
      throw new BootError(`The local host does not evaluate ${unknown} in the policy ${where}.`);
    }
    const { Action, NotAction, Resource, NotResource, Condition, Principal } = statement;
    return {
      sid: typeof statement['Sid'] === 'string' ? statement['Sid'] : '',
      allows: statement['Effect'] === 'Allow',
      actions: Action === undefined ? [] : texts(Action, where),
      not_actions: NotAction === undefined ? undefined : texts(NotAction, where),
      resources: Resource === undefined ? ['*'] : texts(Resource, where),
      not_resources: NotResource === undefined ? undefined : texts(NotResource, where),
      conditions: parseConditions(Condition),
      principals: Principal === undefined ? undefined : principals(Principal, where),
    };
  });
}

function principals(principal: unknown, where: string): string[] {
  if (!isRecord(principal)) return texts(principal, where);
  return Object.values(principal)
    .flatMap((each) => (list(each).length > 0 ? list(each) : [each]))
    .map(String);
}

/** Whether a statement speaks of this request at all; `allows` then says how. */
export function applies(statement: Statement, request: Request): boolean {
  const { actions, not_actions, resources, not_resources, conditions } = statement;
  const action = (pattern: string): boolean => matches(pattern, request.action, true);
  const resource = (pattern: string): boolean => matches(pattern, request.resource);
  if (not_actions === undefined ? !actions.some(action) : not_actions.some(action)) return false;
  if (not_resources === undefined ? !resources.some(resource) : not_resources.some(resource)) {
    return false;
  }
  return conditions.every((condition) => conditionHolds(condition, request.context));
}
