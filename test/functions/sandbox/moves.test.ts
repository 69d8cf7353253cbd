import { afterAll, beforeAll, expect, test } from 'vitest';
import { inSession, newShells, startRig, type Rig } from '../../shared/tools/rig.ts';

/**
 * Files that are copied, moved, linked and removed, beside what GNU's coreutils 9 do: most rows lost a file, or
 * put one where nobody looks for it, without any error. Expected is what bash 5.2 and they gave.
 */
let rig: Rig;
beforeAll(async () => {
  rig = await startRig();
});
afterAll(async () => {
  await rig.stop();
});

const answer = newShells(() => rig, 'moves');

/** Every file and link below the folder that the shell is in, behind what the command said. */
const seen = (command: string): string =>
  `${command}\nfind . -mindepth 1 | sort | while read -r f; do if [ -L "$f" ]; then echo "$f -> $(readlink "$f")"; elif [ -f "$f" ]; then echo "$f $(stat -c %a "$f") $(cat "$f")"; else echo "$f/"; fi; done`;

test.each([
  [
    'for n in 1 2 3; do echo $n > $n; done; for n in 1 2 3; do mv $n out/; cp $n out/; done',
    [
      ...[1, 2, 3].flatMap((n) => [
        `mv: cannot move '${n}' to 'out/': Not a directory`,
        `cp: cannot create regular file 'out/': Not a directory`,
      ]),
      './1 644 1',
      './2 644 2',
      './3 644 3',
    ],
  ],
  [
    'mkdir d; echo x > d/f; echo y > g; mv d g; mv -T d g; cp -r d g; cp d/f d/none/f',
    [
      "mv: cannot overwrite non-directory 'g' with directory 'd'",
      "mv: cannot overwrite non-directory 'g' with directory 'd'",
      "cp: cannot overwrite non-directory 'g' with directory 'd'",
      "cp: cannot create 'd/none/f': No such file or directory",
      './d/',
      './d/f 644 x',
      './g 644 y',
    ],
  ],
  [
    'mkdir -p d e/d; echo x > d/f; echo y > e/d/g; mv d e; mv d d/e; mv -v e/d/g e; mv d e; cp -r e e/e',
    [
      "renamed 'e/d/g' -> 'e/g'",
      "mv: cannot move 'd' to 'e/d': Directory not empty",
      "mv: cannot move 'd' to a subdirectory of itself, 'd/e'",
      "cp: cannot copy a directory, 'e', into itself, 'e/e'",
      './e/',
      './e/d/',
      './e/d/f 644 x',
      './e/g 644 y',
    ],
  ],
  [
    'mkdir d; echo x > d/f; rm -rf d/.. d/. ./ ..; (cd d; rm -rf .); echo y > d/.g; rm -rf d/.g',
    [
      ...['d/..', 'd/.', './', '..', '.'].map(
        (name) => `rm: refusing to remove '.' or '..' directory: skipping '${name}'`,
      ),
      './d/',
      './d/f 644 x',
    ],
  ],
  [
    'echo g > g; echo t > t; ln -s g l; mv l g; cp g l; ln -s t m; mv g m; cp t m; ln -s nowhere n; cp t n',
    [
      "mv: 'l' and 'g' are the same file",
      "cp: 'g' and 'l' are the same file",
      "cp: not writing through dangling symlink 'n'",
      './l -> g',
      './m 644 t',
      './n -> nowhere',
      './t 644 t',
    ],
  ],
  [
    'mkdir d e; echo b > b; ln -s b d; ln -s ../b e/; cd e; ln -s ../d; ln -s ../b; cd ..; ln -sf e d/b; ln -sfn e d; ln -sfn d e/d; ln -srf b d/b',
    [
      "ln: failed to create symbolic link './b': File exists",
      './b 644 b',
      './d/',
      './d/b -> ../b',
      './d/e -> e',
      './e/',
      './e/b -> ../b',
      './e/d -> d',
    ],
  ],
  [
    'echo old > run; chmod 755 run; echo new > next; cp next run; cp -p next kept; cp run copy; mkdir d; cp -t d run; mkdir e; cp --parents d/run e',
    [
      './copy 755 new',
      './d/',
      './d/run 755 new',
      './e/',
      './e/d/',
      './e/d/run 755 new',
      './kept 644 new',
      './next 644 new',
      './run 755 new',
    ],
  ],
  [
    'mkdir -p a/b; echo 1 > a/b/f; ln -s b a/l; touch -d 2001-01-01 a/b/f; cp -a a c; cp -rL a d; cp -n a/b/f c/b/f; cp -u c/b/f d/b/f; stat -c %Y c/b/f; cp -r a/. e/ 2>&1; cp a g',
    [
      '978307200',
      "cp: -r not specified; omitting directory 'a'",
      './a/',
      './a/b/',
      './a/b/f 644 1',
      './a/l -> b',
      './c/',
      './c/b/',
      './c/b/f 644 1',
      './c/l -> b',
      './d/',
      './d/b/',
      './d/b/f 644 1',
      './d/l/',
      './d/l/f 644 1',
      './e/',
      './e/b/',
      './e/b/f 644 1',
      './e/l -> b',
    ],
  ],
  [
    'mkdir a; echo x > a/run; chmod 755 a/run; tar czf t.tgz a; rm -r a; tar xzf t.tgz; rm t.tgz',
    ['./a/', './a/run 755 x'],
  ],
  [
    "mkdir d; echo x > d/f; echo z > e; python3 -c \"import os; os.rename('d', 'e')\" 2>&1 | grep -c Error",
    ['1', './d/', './d/f 644 x', './e 644 z'],
  ],
])('%s', async (command, expected: string[]) => {
  const said = (await answer(seen(command)))
    .split('\n')
    .filter((line) => !line.startsWith('[exit'));
  expect(said.toSorted()).toEqual([...expected].toSorted());
});

test('a folder of thousands of files is copied and moved as soon as it is made', async () => {
  const use = inSession(rig, 'sesn_moves_many');
  await use('bash', { command: 'mkdir d; for i in {1..2000}; do echo $i > d/$i; done' });
  const counted = await use('bash', {
    command: 'cp -r d e; mv d f; ls e | wc -l; ls f | wc -l; cat e/2000 f/1',
  });
  expect(counted).toBe('2000\n2000\n2000\n1');
});
