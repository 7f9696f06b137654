// Makes a checkout ready to run: dependencies installed, sources compiled. Does nothing, fast, when it is so already.
// Plain JavaScript without dependencies, because it runs before there are any.
// `--quiet` says only what takes its time, in a line on stderr, and what goes wrong.
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const quiet = process.argv.includes('--quiet')
const packages = ['packages/engine', 'packages/app']
const sources = ['src', 'sim', 'tsconfig.json', 'package.json']

let isNoticed = false

/** Once: what the wait is for. */
function notice(text) {
  if (quiet && !isNoticed) console.error(text)
  isNoticed = true
}

/** Runs a command in the root; ends this process with its exit code when it fails. */
function run(what, command, args) {
  if (!quiet) console.log(`${what} ...`)
  const result = spawnSync(command, args, { cwd: root, stdio: quiet ? 'pipe' : 'inherit', shell: command === 'npm' })
  if (result.status === 0) return
  if (quiet) process.stderr.write(`${result.stdout ?? ''}${result.stderr ?? ''}`)
  console.error(`${what} failed`)
  process.exit(result.status ?? 1)
}

function modified(path) {
  return statSync(join(root, path), { throwIfNoEntry: false })?.mtimeMs ?? 0
}

function newestIn(path) {
  if (!existsSync(join(root, path))) return 0
  if (!statSync(join(root, path)).isDirectory()) return modified(path)
  const inside = readdirSync(join(root, path)).map((name) => newestIn(`${path}/${name}`))
  return Math.max(modified(path), ...inside)
}

const [nodeVersion] = process.versions.node.split('.')
if (Number(nodeVersion) < 20) {
  console.error(`Node 20 or later is needed; this is ${process.version}.`)
  process.exit(1)
}

// npm writes this file at the end of an installation.
if (modified('node_modules/.package-lock.json') < modified('package-lock.json')) {
  notice('Installing and compiling, about a minute ...')
  run('Installing dependencies', 'npm', ['ci', '--no-audit', '--no-fund'])
}

const newestSource = Math.max(
  modified('tsconfig.base.json'),
  modified('tools/bundle.mjs'),
  ...packages.flatMap((folder) => sources.map((source) => newestIn(`${folder}/${source}`))),
)
// When everything was last compiled without an error.
const built = Math.min(...packages.map((folder) => modified(`${folder}/dist/.built`)))
if (built < newestSource) {
  notice('Compiling ...')
  run('Compiling', process.execPath, [join('node_modules', 'typescript', 'bin', 'tsc'), '-b'])
  run('Bundling', process.execPath, [join('tools', 'bundle.mjs')])
  for (const folder of packages) writeFileSync(join(root, folder, 'dist/.built'), '')
}
