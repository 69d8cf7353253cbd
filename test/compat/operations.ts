import { readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

/** What the installed SDK says of one call: read from its sources, typed by nobody. */
export interface Operation {
  /** As a caller writes it: `client.beta.sessions.events.list`. */
  readonly call: string;
  readonly method: 'GET' | 'POST' | 'DELETE' | 'PUT' | 'PATCH';
  /** Route with its parameters by name: `/v1/sessions/{session_id}/events`. */
  readonly path: string;
  readonly answer: Answer;
  /** What its parameters go to, where it has any. */
  readonly sent?: Sent;
}

/** A type of parameters, of which some go elsewhere: to the path, or to a header. */
export interface Sent extends Declared {
  readonly as: 'body' | 'query';
  readonly except: readonly string[];
}

/** A type of the package, and the module below `resources/` that declares it. */
export interface Declared {
  readonly type: string;
  readonly module: string;
}

export type Answer =
  | ({ readonly kind: 'json'; readonly nullable: boolean } & Declared)
  /** One page of a list: the class of the page, and the type of its items. */
  | ({ readonly kind: 'page'; readonly page: string } & Declared)
  /** Server-sent events, each of this type. */
  | ({ readonly kind: 'stream' } & Declared)
  | { readonly kind: 'binary' };

const package_dir = fileURLToPath(
  new URL('../../node_modules/@anthropic-ai/sdk/', import.meta.url),
);
const resources_dir = join(package_dir, 'src/resources');

/**
 * What stands under `client.beta` and is not Managed Agents: the inference API's own betas, its
 * list of models, and the administration of an organisation. Everything else there makes the set.
 */
export const otherApis: readonly string[] = ['messages', 'models', 'organization'];

export function sdkVersion(): string {
  const { version } = JSON.parse(readFileSync(join(package_dir, 'package.json'), 'utf8')) as {
    version: string;
  };
  return version;
}

/** Every Managed Agents operation of the installed SDK, in the order of its resources. */
export function operations(): Operation[] {
  return resource(join(resources_dir, 'beta/beta.ts'), 'client.beta', otherApis);
}

const CHILD = /^ {2}(\w+): (\w+)\.\w+ = new /gm;

function resource(file: string, call: string, except: readonly string[] = []): Operation[] {
  const source = readFileSync(file, 'utf8');
  const body = source.slice(source.indexOf(' extends APIResource'));
  const fileOf = (alias: string): string => {
    const from = new RegExp(`import \\* as ${alias} from '(.+)'`).exec(source)?.[1];
    if (from === undefined) throw new Error(`${file}: where does ${alias} come from?`);
    return join(dirname(file), `${from}.ts`);
  };
  const declare = (name: string): Declared => {
    const [, alias, type = name] = /^(\w+)\.(\w+)$/.exec(name) ?? [];
    const from = alias === undefined ? file : fileOf(alias);
    return { type, module: relative(resources_dir, from).replace(/\.ts$/, '') };
  };
  const children = [...body.matchAll(CHILD)].filter(([, name]) => !except.includes(name ?? ''));
  return [
    ...methods(body, declare).map((draft) => ({ ...draft, call: `${call}.${draft.call}` })),
    ...children.flatMap(([, name, alias = '']) => resource(fileOf(alias), `${call}.${name}`)),
  ];
}

const METHOD = /^ {2}(\w+)\(([\s\S]*?)^ {2}\}$/gm;

/** A method is an operation when it names its route for tracing; helpers do not. */
function methods(body: string, declare: (name: string) => Declared): Operation[] {
  return [...body.matchAll(METHOD)].flatMap(([text, call = '']) => {
    const path = /route: '([^']+)'/.exec(text)?.[1];
    const verb = /this\._client\s*\.(\w+)\(/.exec(text)?.[1];
    if (path === undefined || verb === undefined) return [];
    const sent = sentOf(text, declare);
    const operation = { call, path, method: methodOf(verb), answer: answerOf(text, declare) };
    return [sent === undefined ? operation : { ...operation, sent }];
  });
}

const SENT = /const \{ (?:([\w, ]+), )?\.\.\.(body|query) \} = params/;

function sentOf(text: string, declare: (name: string) => Declared): Sent | undefined {
  const type = /\bparams: ([\w.]+)/.exec(text)?.[1];
  const [, except = '', as] = SENT.exec(text) ?? [];
  if (type === undefined || as === undefined) return undefined;
  return { ...declare(type), as: as === 'body' ? as : 'query', except: except.split(', ') };
}

function methodOf(verb: string): Operation['method'] {
  const method = verb === 'getAPIList' ? 'GET' : verb.toUpperCase();
  if (['GET', 'POST', 'DELETE', 'PUT', 'PATCH'].includes(method)) {
    return method as Operation['method'];
  }
  throw new Error(`operations: what does client.${verb}() send?`);
}

function answerOf(text: string, declare: (name: string) => Declared): Answer {
  const stream = /\): APIPromise<Stream<([\w.]+)>>/.exec(text)?.[1];
  if (stream !== undefined) return { kind: 'stream', ...declare(stream) };
  const item = /\): PagePromise<\w+, ([\w.]+)>/.exec(text)?.[1];
  const page = /,\s*(\w+)<[\w.]+>,\s*\{/.exec(text)?.[1];
  if (item !== undefined && page !== undefined) return { kind: 'page', page, ...declare(item) };
  const [, json, nullable] = /\): APIPromise<([\w.]+)( \| null)?>/.exec(text) ?? [];
  if (json === undefined) throw new Error(`operations: what does this answer?\n${text}`);
  if (json === 'Response') return { kind: 'binary' };
  return { kind: 'json', nullable: nullable !== undefined, ...declare(json) };
}
