import type { Decimal } from 'decimal.js';
import { CommandFailure, commands, inputOf, optionsOf, said, type Execute } from './command.ts';

/**
 * `bc`: sums of exact decimals, as scripts ask for them. Numbers carry a scale, which says how many
 * digits behind the point are kept and shown; the rules are those of POSIX. Not here: loops, conditions
 * and functions of one's own.
 */

interface Value {
  readonly n: Decimal;
  readonly scale: number;
}

/** What is kept of a number at most; a longer one is an error, never a rounded one. */
const DIGITS_MAX = 2_000;
const SCALE_MAX = 1_000;

const TOKEN =
  /(\n)|[^\S\n]+|\\\n|\/\*[^]*?\*\/|#[^\n]*|([\dA-F]+\.?[\dA-F]*|\.[\dA-F]+)|([a-z_]\w*)|("[^"]*")|([-+*/%^]=|[=<>!]=|\+\+|--|&&|\|\||[-+*/%^()=<>!;,[\]{}])/y;

const DIGITS = '0123456789ABCDEF';
const elsewhere = new Set('if else while for define auto return break continue read'.split(' '));

function tokensOf(text: string): string[] {
  const tokens: string[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.length) {
    const at = TOKEN.lastIndex;
    const found = TOKEN.exec(text);
    if (found === null) throw new CommandFailure(`syntax error at '${text.slice(at, at + 10)}'`);
    const token = found.slice(1).find((one) => one !== undefined);
    if (token !== undefined) tokens.push(token);
  }
  return tokens;
}

class Calculator {
  output = '';
  readonly #D: typeof Decimal;
  readonly #variables = new Map<string, Value>();
  #settings = { scale: 0, ibase: 10, obase: 10 };
  #tokens: string[] = [];
  #at = 0;

  constructor(D: typeof Decimal, scale: number) {
    this.#D = D.clone({
      precision: DIGITS_MAX,
      rounding: D.ROUND_DOWN,
      toExpPos: 9e15,
      toExpNeg: -9e15,
    });
    this.#settings.scale = scale;
  }

  run(text: string): void {
    this.#tokens = tokensOf(text);
    this.#at = 0;
    for (let token = this.#peek(); token !== undefined; token = this.#peek()) {
      if (token === ';' || token === '\n') this.#at += 1;
      else if (token === 'quit' || token === 'halt') return;
      else this.#statement(token);
    }
  }

  #statement(token: string): void {
    if (elsewhere.has(token)) throw new CommandFailure(`'${token}' is not known here: use python3`);
    if (token === 'print') {
      do {
        this.#at += 1;
        this.#print();
      } while (this.#peek() === ',');
    } else if (token.startsWith('"')) {
      this.#print();
    } else {
      const is_silent =
        /^[-+*/%^]?=$/.test(this.#tokens[this.#at + 1] ?? '') && /^[a-z]/.test(token);
      const value = this.#comparison();
      if (!is_silent) this.output += `${wrapped(this.#shown(value))}\n`;
    }
    const end = this.#peek();
    if (end !== undefined && end !== ';' && end !== '\n')
      throw new CommandFailure(`syntax error at '${end}'`);
  }

  #print(): void {
    const token = this.#peek() ?? '';
    if (!token.startsWith('"')) {
      this.output += this.#shown(this.#comparison());
      return;
    }
    this.#at += 1;
    this.output += token.slice(1, -1).replaceAll('\\n', '\n').replaceAll('\\t', '\t');
  }

  #peek(): string | undefined {
    return this.#tokens[this.#at];
  }

  #take(...wanted: readonly string[]): string | undefined {
    const token = this.#peek();
    if (token === undefined || !wanted.includes(token)) return undefined;
    this.#at += 1;
    return token;
  }

  #comparison(): Value {
    let left = this.#sum();
    for (let op = this.#take('<', '>', '<=', '>=', '==', '!='); op !== undefined;) {
      const order = left.n.comparedTo(this.#sum().n);
      const is_true = { '<': order < 0, '>': order > 0, '<=': order <= 0, '>=': order >= 0 };
      const holds = op === '==' ? order === 0 : op === '!=' ? order !== 0 : is_true[op as '<'];
      left = this.#of(holds ? 1 : 0);
      op = this.#take('<', '>', '<=', '>=', '==', '!=');
    }
    return left;
  }

  #sum(): Value {
    let left = this.#product();
    for (let op = this.#take('+', '-'); op !== undefined; op = this.#take('+', '-')) {
      left = this.#apply(op, left, this.#product());
    }
    return left;
  }

  #product(): Value {
    let left = this.#power();
    for (let op = this.#take('*', '/', '%'); op !== undefined; op = this.#take('*', '/', '%')) {
      left = this.#apply(op, left, this.#power());
    }
    return left;
  }

  /** To the right: `2^3^2` is `2^9`. A sign binds closer: `-2^2` is 4. */
  #power(): Value {
    const left = this.#signed();
    return this.#take('^') === undefined ? left : this.#apply('^', left, this.#power());
  }

  #signed(): Value {
    if (this.#take('-') === undefined) return this.#atom();
    const { n, scale } = this.#signed();
    return { n: n.neg(), scale };
  }

  #atom(): Value {
    const token = this.#peek();
    if (token === undefined || token === ';' || token === '\n')
      throw new CommandFailure('syntax error');
    this.#at += 1;
    if (token === '(') {
      const value = this.#comparison();
      if (this.#take(')') === undefined) throw new CommandFailure("syntax error: ')' is missing");
      return value;
    }
    if (/^[\dA-F.]/.test(token)) return this.#number(token);
    if (!/^[a-z]/.test(token)) throw new CommandFailure(`syntax error at '${token}'`);
    if (this.#peek() === '(') return this.#call(token);
    const assignment = this.#take('=', '+=', '-=', '*=', '/=', '%=', '^=');
    if (assignment === undefined) return this.#named(token);
    const given = this.#comparison();
    const value =
      assignment === '=' ? given : this.#apply(assignment.charAt(0), this.#named(token), given);
    this.#assign(token, value);
    return value;
  }

  #named(name: string): Value {
    if (name === 'scale' || name === 'ibase' || name === 'obase')
      return this.#of(this.#settings[name]);
    if (name === 'last' || elsewhere.has(name))
      throw new CommandFailure(`'${name}' is not known here: use python3`);
    return this.#variables.get(name) ?? this.#of(0);
  }

  #assign(name: string, value: Value): void {
    if (name !== 'scale' && name !== 'ibase' && name !== 'obase') {
      this.#variables.set(name, value);
      return;
    }
    const [low, high] = name === 'scale' ? [0, SCALE_MAX] : [2, 16];
    const number = value.n.toNumber();
    if (!Number.isInteger(number) || number < low || number > high) {
      throw new CommandFailure(`${name} must be from ${low} to ${high} here`);
    }
    this.#settings = { ...this.#settings, [name]: number };
  }

  #call(name: string): Value {
    this.#at += 1;
    const given = this.#comparison();
    if (this.#take(')') === undefined) throw new CommandFailure("syntax error: ')' is missing");
    const { n, scale } = given;
    if (name === 'length')
      return this.#of(
        n
          .abs()
          .toFixed(scale)
          .replace(/^0?\.0*|\./g, '').length || 1,
      );
    if (name === 'scale') return this.#of(scale);
    const functions: Readonly<Record<string, (x: Decimal) => Decimal>> = {
      sqrt: (x) => x.sqrt(),
      e: (x) => x.exp(),
      l: (x) => x.ln(),
      s: (x) => x.sin(),
      c: (x) => x.cos(),
      a: (x) => x.atan(),
    };
    const of = Object.hasOwn(functions, name) ? functions[name] : undefined;
    if (of === undefined)
      throw new CommandFailure(`the function ${name}() is not known here: use python3`);
    const kept = name === 'sqrt' ? Math.max(this.#settings.scale, scale) : this.#settings.scale;
    // Digits before the point, those that are kept, and some that rounding may spoil.
    const digits = Math.abs(n.e) + (name === 'e' ? Math.abs(n.toNumber()) : 0) + kept + 20;
    if (digits > SCALE_MAX)
      throw new CommandFailure(`${name}() would have more than ${SCALE_MAX} digits`);
    const result = of(new (this.#D.clone({ precision: Math.ceil(digits) }))(n));
    if (!result.isFinite()) throw new CommandFailure(`${name}(${n.toString()}) is not a number`);
    return { n: new this.#D(result).toDecimalPlaces(kept), scale: kept };
  }

  #number(text: string): Value {
    const { ibase } = this.#settings;
    const [whole = '', part = ''] = text.split('.');
    if (ibase === 10 && /^\d*$/.test(whole + part))
      return { n: new this.#D(`${whole || 0}.${part || 0}`), scale: part.length };
    const valueOf = (digits: string): Decimal => {
      return Array.from(digits).reduce(
        (sum, digit) => sum.times(ibase).plus(DIGITS.indexOf(digit)),
        this.#of(0).n,
      );
    };
    const fraction = valueOf(part)
      .div(new this.#D(ibase).pow(part.length))
      .toDecimalPlaces(part.length);
    return { n: valueOf(whole).plus(fraction), scale: part.length };
  }

  #of(number: number): Value {
    return { n: new this.#D(number), scale: 0 };
  }

  #apply(op: string, a: Value, b: Value): Value {
    const value = this.#applied(op, a, b);
    if (value.n.precision() >= DIGITS_MAX)
      throw new CommandFailure(`a number has at most ${DIGITS_MAX} digits here: use python3`);
    return value;
  }

  #applied(op: string, a: Value, b: Value): Value {
    const { scale } = this.#settings;
    const wider = Math.max(a.scale, b.scale);
    if (op === '+') return { n: a.n.plus(b.n), scale: wider };
    if (op === '-') return { n: a.n.minus(b.n), scale: wider };
    if (op === '^') return this.#raised(a, b.n.trunc());
    if (op === '*') {
      const kept = Math.min(a.scale + b.scale, Math.max(scale, wider));
      return { n: a.n.times(b.n).toDecimalPlaces(kept), scale: kept };
    }
    if (b.n.isZero()) throw new CommandFailure('divide by zero');
    const shift = new this.#D(10).pow(scale);
    const quotient = a.n.times(shift).divToInt(b.n).div(shift);
    if (op === '/') return { n: quotient, scale };
    const kept = Math.max(scale + b.scale, a.scale);
    return { n: a.n.minus(quotient.times(b.n)).toDecimalPlaces(kept), scale: kept };
  }

  #raised(a: Value, exponent: Decimal): Value {
    const { scale } = this.#settings;
    const times = exponent.abs().toNumber();
    if (times * (Math.abs(a.n.e) + 1) > DIGITS_MAX * 10 && !a.n.abs().eq(1) && !a.n.isZero()) {
      throw new CommandFailure(`a number has at most ${DIGITS_MAX} digits here: use python3`);
    }
    const kept = exponent.isNeg() ? scale : Math.min(a.scale * times, Math.max(scale, a.scale));
    return { n: a.n.pow(exponent).toDecimalPlaces(kept), scale: kept };
  }

  /** As GNU's shows it: no zero before the point, and with all digits of its scale. */
  #shown({ n, scale }: Value): string {
    if (n.isZero()) return '0';
    if (this.#settings.obase === 10) return n.toFixed(scale).replace(/^(-?)0\./, '$1.');
    if (!n.isInteger()) throw new CommandFailure('fractions are shown with obase=10 only here');
    return BigInt(n.toFixed(0)).toString(this.#settings.obase).toUpperCase();
  }
}

/** Lines of 70 characters at most, as GNU's has them. */
function wrapped(text: string): string {
  return text.length < 70 ? text : text.replace(/.{68}(?=.)/g, '$&\\\n');
}

const bc: Execute = async (args, ctx) => {
  const long = { l: 'mathlib', q: 'quiet', i: 'interactive', s: 'standard', w: 'warn' };
  const { operands, has } = optionsOf(args, { flags: 'lqisw', long });
  const { Decimal } = await import('decimal.js');
  const calculator = new Calculator(Decimal, has('l') ? 20 : 0);
  try {
    for (const name of [...operands, '-'])
      calculator.run((await inputOf(ctx, name)).toString('utf8'));
  } catch (error) {
    if (!(error instanceof CommandFailure)) throw error;
    return { stdout: calculator.output, stderr: `bc: ${error.message}\n`, exitCode: 1 };
  }
  return said(calculator.output);
};

export const calculators = commands({ bc });
