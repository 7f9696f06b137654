import { expect, test } from 'vitest'
import { CliError } from '../../src/cliError.ts'
import { Output, type OutputOptions } from '../../src/output/output.ts'
import type { Progress } from '../../src/output/progressLine.ts'

class FakeStream {
  text = ''
  columns = 60

  constructor(readonly isTTY: boolean) {}

  write(text: string): void {
    this.text += text
  }
}

function scene(isTTY: boolean, options: Partial<OutputOptions> = {}) {
  const stdout = new FakeStream(isTTY)
  const stderr = new FakeStream(isTTY)
  const output = new Output(stdout, stderr, { json: false, debug: false, unicode: false, dumb: false, ...options })
  return { output, stdout, stderr }
}

const half: Progress = {
  activity: '',
  fraction: 0.5,
  pieces: null,
  downloadRate: null,
  uploadRate: null,
  peers: null,
  eta: null,
}

test('on a terminal the progress line is redrawn in place, and gives way to other lines', () => {
  const { output, stdout } = scene(true)
  output.progress({ type: 'progress' }, half)
  output.progress({ type: 'progress' }, half)
  output.report({ type: 'x' }, 'a fact')
  const line = `\r[${'#'.repeat(20)}${' '.repeat(20)}]  50.0 %\x1b[K`
  expect(stdout.text).toBe(`${line}${line}\r\x1b[Ka fact\n`)
})

test('a warning on stderr does not leave half a progress line on the same terminal', () => {
  const { output, stdout, stderr } = scene(true)
  output.progress({ type: 'progress' }, half)
  output.warn('careful')
  expect(stdout.text.endsWith('\r\x1b[K')).toBe(true)
  expect(stderr.text).toBe('lt: warning: careful\n')
})

test('what is no terminal, and a dumb one, gets plain lines', () => {
  for (const { output, stdout } of [scene(false), scene(true, { dumb: true })]) {
    output.progress({ type: 'progress' }, half)
    expect(stdout.text).toBe('50.0 %\n')
  }
})

test('a plain line about progress is not written again while nothing changes', () => {
  const { output, stdout } = scene(false)
  for (const fraction of [0.5, 0.5, 0.6, 0.6]) output.progress({ type: 'progress' }, { ...half, fraction })
  expect(stdout.text).toBe('50.0 %\n60.0 %\n')
})

test('with --json every line of stdout is an object with a type', () => {
  const { output, stdout, stderr } = scene(true, { json: true })
  output.report({ type: 'added', name: 'a\x9bb' }, 'not shown')
  output.progress({ type: 'progress', progress: 0.5 }, half)
  output.warn('careful', { tracker: 'x' })
  const lines = stdout.text.trimEnd().split('\n')
  expect(lines.map((line) => JSON.parse(line))).toEqual([
    { type: 'added', name: 'a\x9bb' },
    { type: 'progress', progress: 0.5 },
    { type: 'warning', message: 'careful', tracker: 'x' },
  ])
  expect(stderr.text).toBe('')
})

test('names from strangers are harmless wherever they appear', () => {
  const { output, stdout, stderr } = scene(true)
  output.report({ type: 'x' }, ['a\x1b]0;title\x07'])
  output.progress({ type: 'x' }, { ...half, activity: 'b\x1b[2J' })
  output.warn('c\u202e')
  output.error(new CliError('d\x1b[31m'))
  expect(stdout.text).toContain('a\\x1b]0;title\\x07')
  expect(stdout.text).toContain('b\\x1b[2J')
  expect(stderr.text).toBe('lt: warning: c\\u{202e}\nlt: d\\x1b[31m\n')
})

test('a stack trace is shown with --debug only, causes included', () => {
  const error = new Error('outer', { cause: new Error('inner') })
  const quiet = scene(false)
  quiet.output.error(error)
  expect(quiet.stderr.text).toBe('lt: outer\n')
  const debugging = scene(false, { debug: true })
  debugging.output.error(error)
  expect(debugging.stderr.text).toMatch(/lt: outer\n.*Error: outer\n +at .*Error: inner\n/s)
})

test('with --json and --debug everything on stderr is an object with a type, too', () => {
  const { output, stderr } = scene(false, { json: true, debug: true })
  output.trace('peer connected')
  output.error(new Error('outer', { cause: new Error('inner') }))
  const lines = stderr.text.trimEnd().split('\n')
  expect(lines.map((line) => JSON.parse(line))).toEqual([
    { type: 'debug', message: 'peer connected' },
    { type: 'error', message: 'outer', stack: expect.arrayContaining(['Error: outer', 'Error: inner']) },
  ])
})
