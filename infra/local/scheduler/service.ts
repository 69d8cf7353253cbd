import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AwsError } from '../aws-error.ts';
import type { Authorizer } from '../iam/authorizer.ts';
import { arn } from '../place.ts';
import { assuming, nextDue, Timetable, type Running, type Schedule } from '../schedules.ts';
import type { Stack } from '../template/stack.ts';
import { isRecord, record, text } from '../template/template.ts';
import type { Plan, Reply, Service, WireRequest } from '../wire.ts';

const path_pattern = /^\/schedules\/([^/]+)$/;
const actions: Readonly<Record<string, string>> = {
  POST: 'CreateSchedule',
  PUT: 'UpdateSchedule',
  GET: 'GetSchedule',
  DELETE: 'DeleteSchedule',
};

/** Source: API reference of EventBridge Scheduler. */
const name_pattern = /^[0-9a-zA-Z-_.]{1,64}$/;
const expression_chars_max = 256;
const defaults = { State: 'ENABLED', ScheduleExpressionTimezone: 'UTC' };
const window_minutes_max = 1_440;
const states: ReadonlySet<unknown> = new Set(['ENABLED', 'DISABLED']);

/** A schedule as it was sent, by `group/name`. */
type Kept = Readonly<Record<string, unknown>>;

/**
 * EventBridge Scheduler's schedules that functions make: kept in the data folder, and run on the host's
 * clock as those of the template are. What fell due while the host was stopped is not made good here.
 */
export class SchedulerService implements Service {
  readonly #groups: ReadonlySet<string>;
  readonly #authorizer: Authorizer;
  readonly #file: string;
  readonly #kept: Map<string, Kept>;
  readonly #timetable: Timetable;

  constructor(stack: Stack, running: Running, folder: string) {
    const groups = stack.all('AWS::Scheduler::ScheduleGroup').map(({ name }) => name);
    this.#groups = new Set(['default', ...groups]);
    this.#authorizer = running.authorizer;
    this.#file = join(folder, 'schedules.json');
    this.#kept = new Map(existsSync(this.#file) ? entriesOf(readFileSync(this.#file, 'utf8')) : []);
    this.#timetable = new Timetable(running);
    for (const [id, kept] of this.#kept) this.#arm(id, kept);
  }

  plan({ method, path, query, body: sent }: WireRequest): Plan {
    const [, encoded] = path_pattern.exec(path) ?? [];
    const action = actions[method];
    if (encoded === undefined || action === undefined) {
      throw new AwsError(
        'UnknownOperationException',
        `The local host does not speak ${path}.`,
        404,
      );
    }
    const body = sent.length === 0 ? {} : record(JSON.parse(sent.toString('utf8')));
    const name = decodeURIComponent(encoded);
    const group = text(body['GroupName'] ?? query.get('groupName') ?? 'default', 'GroupName');
    const id = `${group}/${name}`;
    const resource = arn('scheduler', `schedule/${id}`);
    const role_arn = record(body['Target'])['RoleArn'];
    const permissions = [{ action: `scheduler:${action}`, resource, context: {} }];
    if (typeof role_arn === 'string') {
      const context = { 'iam:passedtoservice': [assuming(group).service] };
      permissions.push({ action: 'iam:PassRole', resource: role_arn, context });
    }
    return {
      action,
      resource,
      body,
      permissions,
      run: async () => reply(this.#perform(action, id, body)),
    };
  }

  failure({ name, message, status }: AwsError): Reply {
    return {
      status: name === 'AccessDeniedException' ? 403 : status,
      headers: { 'content-type': 'application/json', 'x-amzn-errortype': name },
      body: JSON.stringify({ Message: message }),
    };
  }

  /** The host ends: nothing may call a function any more. */
  stop(): void {
    this.#timetable.stop();
  }

  #perform(action: string, id: string, body: Kept): object {
    const [group = '', name = ''] = id.split('/');
    if (!name_pattern.test(name)) throw invalid(`Name ${name} is not valid.`);
    if (!this.#groups.has(group)) {
      throw new AwsError(
        'ResourceNotFoundException',
        `Schedule group ${group} does not exist.`,
        404,
      );
    }
    const present = this.#kept.get(id);
    if (action === 'CreateSchedule') {
      if (present !== undefined) {
        throw new AwsError('ConflictException', `Schedule ${name} already exists.`, 409);
      }
      return this.#put(id, body);
    }
    if (present === undefined) {
      throw new AwsError('ResourceNotFoundException', `Schedule ${name} does not exist.`, 404);
    }
    if (action === 'UpdateSchedule') return this.#put(id, body);
    if (action === 'GetSchedule') {
      return { ...defaults, ...present, Name: name, GroupName: group };
    }
    this.#kept.delete(id);
    this.#save();
    this.#timetable.drop(id);
    return {};
  }

  #put(id: string, body: Kept): object {
    this.#check(id, body);
    this.#kept.set(id, body);
    this.#save();
    this.#arm(id, body);
    return { ScheduleArn: arn('scheduler', `schedule/${id}`) };
  }

  /** What AWS would refuse. @throws AwsError `ValidationException` */
  #check(id: string, body: Kept): void {
    const schedule = scheduleOf(id, body);
    if (schedule.expression.length > expression_chars_max) throw invalid('ScheduleExpression');
    if (!this.#authorizer.trusts(schedule.role_arn ?? '', assuming(schedule.group))) {
      throw invalid(
        'The execution role you provide must allow EventBridge Scheduler to assume it.',
      );
    }
    checkWindow(record(body['FlexibleTimeWindow']));
    if (!states.has(body['State'] ?? 'ENABLED')) throw invalid('State');
    try {
      nextDue(schedule, new Date());
    } catch {
      throw invalid(`Invalid Schedule Expression ${schedule.expression} in ${schedule.timezone}.`);
    }
  }

  #arm(id: string, body: Kept): void {
    if (body['State'] === 'DISABLED') this.#timetable.drop(id);
    else this.#timetable.set(scheduleOf(id, body));
  }

  /** Whole or not at all. */
  #save(): void {
    const making = `${this.#file}.new`;
    writeFileSync(making, JSON.stringify(Object.fromEntries(this.#kept), undefined, 2));
    renameSync(making, this.#file);
  }
}

function entriesOf(json: string): [string, Kept][] {
  return Object.entries(record(JSON.parse(json))).filter((entry): entry is [string, Kept] =>
    isRecord(entry[1]),
  );
}

function scheduleOf(id: string, body: Kept): Schedule {
  const target = record(body['Target']);
  const texts = [body['ScheduleExpression'], target['Arn'], target['RoleArn']];
  if (!texts.every((each) => typeof each === 'string')) {
    throw invalid('ScheduleExpression, Target.Arn and Target.RoleArn are needed.');
  }
  const [expression = '', function_arn = '', role_arn] = texts as string[];
  return {
    name: id,
    group: id.slice(0, id.indexOf('/')),
    expression,
    timezone: text(body['ScheduleExpressionTimezone'] ?? 'UTC', id),
    function_arn,
    role_arn,
    input: text(target['Input'] ?? '{}', id),
  };
}

/** A window that is off has no length, and one that is flexible has one: AWS refuses both otherwise. */
function checkWindow({ Mode, MaximumWindowInMinutes: minutes }: Record<string, unknown>): void {
  const is_length = Number.isInteger(minutes) && Number(minutes) >= 1;
  const is_right =
    Mode === 'FLEXIBLE'
      ? is_length && Number(minutes) <= window_minutes_max
      : Mode === 'OFF' && minutes === undefined;
  if (!is_right) throw invalid('FlexibleTimeWindow');
}

function invalid(message: string): AwsError {
  return new AwsError('ValidationException', message);
}

function reply(body: object): Reply {
  const headers = { 'content-type': 'application/json' };
  return { status: 200, headers, body: JSON.stringify(body) };
}
