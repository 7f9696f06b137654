/**
 * Writes the pages of docs/ that are derived from tables and from the public API. Usage: `npm run docs`;
 * with `-- --check` it writes nothing and fails when a page is out of date, the name map has gaps, or something users
 * see has no doc comment.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { alertsPage } from './docs/alertsPage.ts'
import { errorsPage } from './docs/errorsPage.ts'
import { readLibtorrentNames } from './docs/libtorrentNames.ts'
import { missingDocs } from './docs/missingDocs.ts'
import { mapNames } from './docs/nameMap.ts'
import { nameMapPage } from './docs/nameMapPage.ts'
import { readPublicApis, textsIn } from './docs/publicApi.ts'
import { settingsPage } from './docs/settingsPage.ts'
import { nameMapReasons } from './nameMapReasons.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const engine = join(root, 'packages/engine')

/** The pages by path, and what is wrong with the name map and with doc comments. */
export function generateDocs(): { readonly pages: ReadonlyMap<string, string>; readonly problems: readonly string[] } {
  const entries = ['src/index.ts', 'sim/index.ts'].map((entry) => join(engine, entry))
  const [api = new Map(), testingApi = new Map()] = readPublicApis(engine, entries)
  const counterparts = { api, resumeKeys: textsIn(join(engine, 'src/resume')) }
  const map = mapNames(readLibtorrentNames(join(engine, 'test/vectors/api')), counterparts, nameMapReasons)
  const pages = new Map([
    ['docs/settings.md', settingsPage()],
    ['docs/alerts.md', alertsPage(api)],
    ['docs/errors.md', errorsPage()],
    ['docs/name-map.md', nameMapPage(map)],
  ])
  const problems = [
    ...map.problems.map((problem) => `name map: ${problem}`),
    ...missingDocs('libtorrent-ts', api),
    ...missingDocs('libtorrent-ts/testing', testingApi),
  ]
  return { pages, problems }
}

/** The pages whose file does not say what it should. */
export function outdatedPages(pages: ReadonlyMap<string, string>): readonly string[] {
  return [...pages].filter(([path, text]) => contentOf(path) !== text).map(([path]) => path)
}

function contentOf(path: string): string | null {
  try {
    return readFileSync(join(root, path), 'utf8')
  } catch {
    return null
  }
}

function main(): void {
  const { pages, problems } = generateDocs()
  const outdated = outdatedPages(pages)
  const check = process.argv.includes('--check')
  for (const path of outdated) {
    if (check) console.error(`${path} is out of date: run "npm run docs"`)
    else writeFileSync(join(root, path), pages.get(path) ?? '')
  }
  for (const problem of problems) console.error(problem)
  if (problems.length > 0 || (check && outdated.length > 0)) process.exitCode = 1
  else console.log(check ? 'docs are up to date' : `written: ${outdated.join(', ') || 'nothing, all up to date'}`)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main()
