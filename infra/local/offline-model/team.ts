import type { ContentBlock } from '@anthropic-ai/sdk/resources/messages';
import type { Conversation, Done } from './conversation.ts';
import { call, said } from './data-analyst.ts';
import { quoted, report, summarise, tableCommand } from './report.ts';

const uploads = '/mnt/session/uploads';
const parts = '/workspace/parts';
const output = '/mnt/session/outputs/report.md';

type Content = ContentBlock[];

/** The platform says so before the report of an agent: see shared/turn/messages.ts. */
const REPORT = 'Message from an agent of yours:';

/** Plays the coordinator of the demo: a specialist for each file, then one report of their parts. */
export const teamLead = {
  wants: ({ system, tools }: Conversation): boolean =>
    /\bteam lead\b/i.test(system) && tools.has('start_agent'),
  answer(conversation: Conversation): Content {
    const { calls, texts } = conversation;
    const failed = calls.find((each) => each.failed);
    if (failed !== undefined) return [said(`The tool ${failed.name} failed: ${failed.result}`)];
    const started = made(calls, 'start_agent');
    const reports = texts.filter((text) => text.startsWith(REPORT)).length;
    if (made(calls, 'glob').length === 0) {
      return [said('I look at what there is.'), call('glob', { pattern: '*', path: uploads })];
    }
    if (started.length === 0 && files(calls).length > 0) return starts(files(calls));
    if (reports < started.length) {
      return [
        said(`${started.length - reports} specialists are at work. I wait for their reports.`),
      ];
    }
    if (made(calls, 'bash').length === 0) {
      return [
        said('All reports are here. I read the parts that they have written.'),
        call('bash', { command: `cat ${parts}/*.md` }),
      ];
    }
    if (made(calls, 'write').length === 0) {
      return [
        said('I join them.'),
        call('write', { file_path: output, content: joined(files(calls), calls) }),
      ];
    }
    return [
      said(
        `${started.length} specialists have each worked on a file, and ${output} joins what they found.`,
      ),
    ];
  },
};

/** Plays a specialist: one file, with the tools of its own thread. */
export const dataSpecialist = {
  wants: ({ system, tools }: Conversation): boolean =>
    /\bdata specialist\b/i.test(system) && tools.has('bash') && tools.has('write'),
  answer({ asked, done }: Conversation): Content {
    const failed = done.find((each) => each.failed);
    if (failed !== undefined) return [said(`The tool ${failed.name} failed: ${failed.result}`)];
    const path = new RegExp(String.raw`${uploads}/\S+`).exec(asked)?.[0];
    if (path === undefined) return [said('My message names no file, so there is nothing to do.')];
    const name = path.slice(path.lastIndexOf('/') + 1);
    if (made(done, 'read').length === 0) {
      return [
        said(`I read the beginning of ${name}.`),
        call('read', { file_path: path, view_range: [1, 4] }),
      ];
    }
    const is_table = /\.[ct]sv$/.test(name);
    const [computed] = made(done, 'bash');
    if (computed === undefined) {
      return [
        said('I compute from all of it.'),
        call('bash', { command: is_table ? tableCommand([path]) : `wc -lw ${quoted(path)}` }),
      ];
    }
    if (made(done, 'write').length === 0) {
      const text = is_table ? report(asked, computed.result) : `# ${name}\n\n${computed.result}\n`;
      const content = text.replace(/^# .*$/m, `## ${name}`).replaceAll(/^## (?!.*\.)/gm, '### ');
      return [
        said('I write down my part.'),
        call('write', { file_path: `${parts}/${name}.md`, content }),
      ];
    }
    const found = is_table ? summarise(computed.result).join(' ') : computed.result.trim();
    return [said(`${parts}/${name}.md holds my part. ${found}`)];
  },
};

function starts(paths: readonly string[]): Content {
  return [
    said(`There are ${paths.length} files. I give each to a specialist.`),
    ...paths.map((path) =>
      call(
        'start_agent',
        {
          agent: 'Data specialist',
          message: `Describe ${path} : what it holds, what changed most, with numbers that are computed. Write your part to ${parts} and tell me what you found.`,
        },
        path,
      ),
    ),
  ];
}

function made(calls: readonly Done[], name: string): Done[] {
  return calls.filter((each) => each.name === name);
}

function files(calls: readonly Done[]): string[] {
  const [found] = made(calls, 'glob');
  const lines = (found?.result ?? '').split('\n').map((line) => line.trim());
  const named = lines.filter((line) => /\.\w+$/.test(line));
  return named.map((path) => (path.startsWith('/') ? path : `${uploads}/${path}`)).toSorted();
}

function joined(paths: readonly string[], calls: readonly Done[]): string {
  const names = paths.map((path) => `- ${path.slice(path.lastIndexOf('/') + 1)}`);
  const [read] = made(calls, 'bash');
  return `# What ${paths.length} files say\n\n${names.join('\n')}\n\n${read?.result ?? ''}\n`;
}
