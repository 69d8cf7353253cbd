// Goal: the repository stays the house that its README describes.
import { homedir } from 'node:os';
import { expect, test } from 'vitest';
import { limits } from '../../shared/core/limits.ts';
import { files, read, root, sources } from './sources.ts';

/** Files whose text is ours; data and pictures are not searched. */
const texts = (): string[] =>
  files().filter((file) => /(\.(ts|json|md|html|css)|\/run|ignore|rc)$/.test(file));

/** Lines of source files that match, as `file:line`. */
function lines(pattern: RegExp, among = sources()): string[] {
  return among.flatMap((file) =>
    read(file)
      .split('\n')
      .flatMap((line, index) =>
        pattern.test(line) ? [`${file}:${index + 1} ${line.trim()}`] : [],
      ),
  );
}

/** This file spells what it forbids. */
const others = (): string[] => sources().filter((file) => file !== 'test/house/layout.test.ts');

test('the top level holds the four rooms and no other', () => {
  const folders = files().flatMap((file) => /^([^./][^/]*)\//.exec(file)?.[1] ?? []);
  expect([...new Set(folders)].toSorted()).toEqual(['functions', 'infra', 'shared', 'test']);
});

test('files are named in kebab-case', () => {
  const odd = sources().filter(
    (file) => !/^[a-z0-9]+(-[a-z0-9]+)*(\.test|\.config|\.d)?\.ts$/.test(file.replace(/^.*\//, '')),
  );
  expect(odd).toEqual([]);
});

test('a file has at most 400 lines', () => {
  expect(sources().filter((file) => read(file).split('\n').length > 401)).toEqual([]);
});

test('half of the files have fewer than 150 lines', () => {
  const counts = sources()
    .map((file) => read(file).split('\n').length)
    .toSorted((a, b) => a - b);
  expect(counts[Math.floor(counts.length / 2)]).toBeLessThan(150);
});

test('a name says what a thing is, not that it is a thing', () => {
  const vague = /(manager|helpers?|utils?|service|impl|misc|common)(\.test)?\.ts$/i;
  // In the local host a service is a thing: one of those that AWS sells and it plays.
  const others = sources().filter((file) => !/^(infra|test)\/local\//.test(file));
  expect(others.filter((file) => vague.test(file))).toEqual([]);
  const named = /\b(class|interface|type) \w*(Manager|Helper|Utils?|Service|Impl)\b/;
  expect(lines(named, others)).toEqual([]);
});

test('nothing is left for later, and no rule is switched off without its reason', () => {
  expect(lines(/\b(TODO|FIXME|XXX)\b/, others())).toEqual([]);
  expect(lines(/@ts-(ignore|nocheck|expect-error)|\bas any\b/, others())).toEqual([]);
  const silenced = lines(/(oxlint|eslint)-disable/, others());
  expect(silenced.filter((line) => !/-disable\S* \S+ -- \S+/.test(line))).toEqual([]);
});

test('what ships writes to its logger, not to the console', () => {
  const quiet = sources(/^(functions|shared)\//);
  expect(lines(/\bconsole\.|process\.std(out|err)/, quiet)).toEqual([]);
});

test('no path of one machine stands in the repository', () => {
  const here = [root.replace(/\/$/, ''), `${homedir()}/`].filter((path) => path.length > 5);
  const named = [...here, '/work/main', '/work/shared', '/tmp/lab', 'C:\\Users\\'];
  const found = texts()
    .filter((file) => file !== 'test/house/layout.test.ts')
    .filter((file) => named.some((path) => read(file).includes(path)));
  expect(found).toEqual([]);
});

test('the lock file has versions and hashes, and no address to download from', () => {
  const lock = read('package-lock.json');
  expect(lock).toContain('"integrity"');
  expect(lock).not.toContain('"resolved"');
});

test('each package with an install script is allowed or denied: npm 12 runs no other, and Node 24 comes by one', () => {
  const { packages } = JSON.parse(read('package-lock.json')) as {
    packages: Record<string, { hasInstallScript?: boolean }>;
  };
  const scripted = Object.keys(packages).filter((path) => packages[path]?.hasInstallScript);
  const { allowScripts } = JSON.parse(read('package.json')) as { allowScripts: object };
  const names = scripted.map((path) => path.replace(/^.*node_modules\//, ''));
  expect(Object.keys(allowScripts)).toEqual(names.toSorted());
});

test('every dependency has one exact version', () => {
  const { dependencies, devDependencies, optionalDependencies } = JSON.parse(
    read('package.json'),
  ) as Record<string, Record<string, string>>;
  const all = Object.entries({ ...dependencies, ...devDependencies, ...optionalDependencies });
  expect(all.filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version))).toEqual([]);
});

test('every limit is used, and its unit is its last word', () => {
  const users = sources(/^(infra|functions|shared)\//)
    .map(read)
    .join('\n');
  const names = Object.keys(limits);
  const used = (name: string): boolean => new RegExp(`\\blimits\\.${name}\\b`).test(users);
  expect(names.filter((name) => !used(name))).toEqual([]);
  const unit =
    /_(ms|s|seconds|minutes|hours|days|mib|percent|bytes|chars|tokens|max|min|default|count|cents)$/;
  expect(names.filter((name) => !unit.test(name))).toEqual([]);
});
