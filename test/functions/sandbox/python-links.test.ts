import { afterAll, beforeAll, expect, test } from 'vitest';
import { newShells, startRig, type Rig } from '../../shared/tools/rig.ts';

/**
 * Links, and files that are moved while they are open, in a Python program: each row lost a file of the session
 * or wrote it elsewhere. Expected is what CPython 3.13 gave on Linux.
 */
let rig: Rig;
beforeAll(async () => {
  rig = await startRig();
});
afterAll(async () => {
  await rig.stop();
});

const answer = newShells(() => rig, 'python_links');

/** The folder with a file that a link in another folder leads to, and one that leads nowhere. */
const linked = 'mkdir -p d e/g; echo 1 > d/f; ln -s ../d e/l; ln -s nowhere e/n; ln -s d k';

test.each([
  [
    'import os, shutil; shutil.rmtree("e"); print(os.listdir("d"), sorted(os.listdir(".")))',
    "['f'] ['d', 'k']",
  ],
  [
    'import os; os.remove("k"); os.unlink("e/n"); os.unlink("e/l"); print(os.listdir("d"), os.listdir("e"))',
    "['f'] ['g']",
  ],
  [
    'import os\nfor go in (os.rmdir, __import__("shutil").rmtree):\n  try: go("k")\n  except OSError as error: print(type(error).__name__)\nprint(os.listdir("d"), os.path.islink("k"))',
    "NotADirectoryError\nOSError\n['f'] True",
  ],
  [
    'import os; print(sorted((e.name, e.is_dir(), e.is_dir(follow_symlinks=False), e.is_file(), e.is_symlink()) for e in os.scandir("e")))',
    "[('g', True, True, False, False), ('l', True, False, False, True), ('n', False, False, False, True)]",
  ],
  [
    'import os; print(os.readlink("e/n"), os.readlink(b"k"), oct(os.lstat("k").st_mode), os.stat("k", follow_symlinks=False).st_size, os.path.realpath("k/f"), os.path.lexists("e/n"), os.path.exists("e/n"))',
    "nowhere b'd' 0o120777 1 /workspace/d/f True False",
  ],
  [
    'import os, subprocess; seen = lambda: [n for n in sorted(os.listdir(".")) if os.path.islink(n)]; print(seen()); os.symlink("d", "s"); print(seen()); os.rename("s", "t"); print(seen()); subprocess.run("rm t; ln -s e u", shell=True); print(seen()); os.remove("u"); print(seen())',
    "['k']\n['k', 's']\n['k', 't']\n['k', 'u']\n['k']",
  ],
  [
    'import os\nfor name in ("d", "none"):\n  try: os.readlink(name)\n  except OSError as error: print(type(error).__name__)',
    'OSError\nFileNotFoundError',
  ],
  [
    'import glob, os, pathlib; print(sorted(map(str, pathlib.Path(".").rglob("*"))), sorted(glob.glob("e/*")), sorted(os.listdir(b"e")), [(a, sorted(b), c) for a, b, c in os.walk("e")])',
    "['d', 'd/f', 'e', 'e/g', 'e/l', 'e/n', 'k'] ['e/g', 'e/l', 'e/n'] [b'g', b'l', b'n'] [('e', ['g', 'l'], ['n']), ('e/g', [], [])]",
  ],
  [
    'import os, shutil, tarfile; shutil.copytree("e", "c", symlinks=True); shutil.move("c", "m"); t = tarfile.open("t.tar", "w"); t.add("m"); t.close(); shutil.rmtree("m"); tarfile.open("t.tar").extractall("o", filter="fully_trusted"); print(os.readlink("o/m/l"), os.readlink("o/m/n"), os.listdir("o/m/g"), os.listdir("d"))',
    "../d nowhere [] ['f']",
  ],
])('%s', async (program, expected) => {
  expect(await answer(`python3 - <<'END'\n${program}\nEND`, linked)).toBe(expected);
});

test.each([
  [
    'import fileinput\nfor line in fileinput.input("f", inplace=True): print(line.upper(), end="")\nprint(open("f").read())',
    'A\nB\n',
  ],
  [
    'import os; f = open("t", "w"); f.write("abc"); os.replace("t", "f"); f.write("def"); f.close(); print(open("f").read(), os.listdir("."))',
    "abcdef ['f']",
  ],
  [
    'import os; os.mkdir("d"); f = open("d/t", "w"); f.write("abc"); os.rename("d", "e"); f.close(); print(open("e/t").read(), sorted(os.listdir(".")))',
    "abc ['e', 'f']",
  ],
  [
    'import os, pathlib; pathlib.Path("p").touch(); os.close(os.open("x", os.O_CREAT | os.O_WRONLY)); os.close(os.open("y", os.O_CREAT | os.O_EXCL, 0o666)); print([oct(os.stat(n).st_mode)[-3:] for n in "pxy"])\ntry: os.open("y", os.O_CREAT | os.O_EXCL)\nexcept FileExistsError: print("there")',
    "['644', '755', '644']\nthere",
  ],
])('%s', async (program, expected) => {
  const said = await answer(`python3 - <<'END'\n${program}\nEND`, "printf 'a\\nb\\n' > f");
  expect(said).toBe(expected.trimEnd());
});
