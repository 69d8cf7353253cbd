/** The commands of `sqlite3` that begin with a dot. Expected is what SQLite's own program gave. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { newShells, startRig, type Rig } from '../../shared/tools/rig.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await startRig();
});
afterAll(async () => {
  await rig.stop();
});

const answer = newShells(() => rig, 'sqlite');
const before = `printf 'a,b\\n1,x\\n2,"y,""z"""\\n' > in.csv`;

test.each([
  [
    `sqlite3 db "create table t(a int,b text)"; sqlite3 db .tables; sqlite3 db ".schema t"; sqlite3 db 'create index i on t(a)'; sqlite3 db .indexes`,
    't\nCREATE TABLE t(a int,b text);\ni',
  ],
  [
    `sqlite3 :memory: -cmd '.mode csv' -cmd '.import in.csv t' 'select sum(a), max(b) from t'; ls -a /tmp | grep -c sqlite`,
    '! 3,"y,""z"""\n0\n[exit code 1]',
  ],
  [
    `sqlite3 db <<'EOF'\n.mode csv\n.import in.csv t\n.mode column\nselect a, b from t\nwhere a > 1;\n.mode json\nselect '\n.tables' as n;\n.quit\nselect 1;\nEOF\nsqlite3 db 'select a from t'`,
    'a  b    \n-  -----\n2  y,"z"\n[{"n":"\\n.tables"}]\n1\n2',
  ],
  [
    `sqlite3 -header db '.mode markdown' 'select 1 as a, 2 as b'; sqlite3 db '.headers off' '.separator ,' 'select 1,2'; sqlite3 db '.nullvalue NULL' 'select null'`,
    '| a | b |\n|---|---|\n| 1 | 2 |\n1,2\nNULL',
  ],
  [
    `sqlite3 db 'create table t(a,b)'; sqlite3 db '.import --csv --skip 1 in.csv t' 'select count(*) from t'; printf 'x|1\\ny\\n' > in; sqlite3 db '.import in t' 'select b is null from t'`,
    '2\n0\n0\n0\n1',
  ],
  [
    `seq 1000 | awk 'BEGIN{print "n"}1' > n.csv; sqlite3 d '.import --csv n.csv n' 'select count(*), sum(n) from n'`,
    '1000|500500',
  ],
  [
    `sqlite3 :memory: 'select 1' 'select 2'; sqlite3 -cmd 'select 3' -cmd 'select 4' :memory: 'select 5'; sqlite3 db '.mode csv' 'select 1, 2' 'select 6'`,
    '1\n2\n3\n4\n5\n1,2\n6',
  ],
  [
    `sqlite3 db <<'EOF'\n-- made; for a test\n.headers ON\nPRAGMA foreign_keys=ON;\ncreate table p(i integer primary key); create table c(p references p(i)); /* kept\n.tables */\n.mode csv\ninsert into c values (9);\n.quit\nEOF\nsqlite3 db 'select count(*) from c'; printf 'begin;\ncreate table x(a);\n.tables\ncommit;\n' | sqlite3 db`,
    '! 0\nc\np\nError: FOREIGN KEY constraint failed\nsqlite3: a transaction must end before a command with a dot: each is a connection here\nError: cannot commit - no transaction is active\n[exit code 1]',
  ],
  [
    `printf 'a;b\\r\\n1;x\\ry\\r\\n2;\\r\\n' > e.csv; sqlite3 db '.mode csv' '.separator ;' '.import e.csv e' '.mode list' 'select count(*), length(max(b)) from e'; sqlite3 -readonly db '.import --csv in.csv r' 2>/dev/null; sqlite3 db .tables`,
    '2;3\ne',
  ],
  [
    `printf 'select 1;\\n.import none t\\nselect 2;\\n-- a note\\nPRAGMA foreign_keys=ON;\\ncreate table p(i integer primary key); create table c(p references p(i));\\n.headers on\\ninsert into c values (9);\\n' | sqlite3 db`,
    '! 1\n2\nsqlite3: none: No such file or directory\nError: FOREIGN KEY constraint failed\n[exit code 1]',
  ],
  [
    'sqlite3 db .dump; echo $?; sqlite3 db ".mode odd"',
    "! 1\nsqlite3: .dump is not known here, but .quit, .mode, .headers, .separator, .nullvalue, .tables, .schema, .indexes, .import are\nsqlite3: there is no mode 'odd' here\n[exit code 1]",
  ],
])('%s', async (command, expected) => {
  expect(await answer(command, before)).toBe(expected);
});
