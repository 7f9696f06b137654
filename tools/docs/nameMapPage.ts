import type { LibtorrentName } from './libtorrentNames.ts'
import { code, pageHead, table } from './markdown.ts'
import type { MappedName, NameMap } from './nameMap.ts'

/** The sections of the page, in order, and what belongs to each. */
const sections: readonly (readonly [string, (name: LibtorrentName) => boolean])[] = [
  ['Functions', ({ kind }) => kind === 'function'],
  ['Settings', ({ kind }) => kind === 'setting'],
  ['Resume data', ({ kind }) => kind === 'resume'],
  ['Errors', ({ kind }) => kind === 'error'],
]

function line({ libtorrent, here, reason }: MappedName): readonly string[] {
  const counterpart = reason !== '' ? reason : here.includes(' ') ? here : code(here)
  return [code(libtorrent.name), counterpart]
}

const heads = ['libtorrent', 'here']

function ownerOf({ kind, name, owner }: LibtorrentName): string {
  return kind === 'class' || kind === 'alert' ? name : owner
}

/** docs/name-map.md */
export function nameMapPage(map: NameMap): string {
  const rest = map.names.filter(({ libtorrent }) => !sections.some(([, belongs]) => belongs(libtorrent)))
  const owners = [...new Set(rest.map(({ libtorrent }) => ownerOf(libtorrent)))]
  const alerts = owners.filter((owner) => owner.endsWith('_alert'))
  const classes = owners.filter((owner) => !owner.endsWith('_alert'))
  const ownerTable = (owner: string) => {
    const rows = rest.filter(({ libtorrent }) => ownerOf(libtorrent) === owner)
    return `### ${owner}\n\n${table(heads, rows.map(line))}`
  }
  return [
    pageHead('From libtorrent to here', 'the manuals of libtorrent 0.15.5 and 1.0, and the public API'),
    `Every name of libtorrent's manuals with its counterpart, or the reason why there is none. The counterparts are looked
up in the exports of \`libtorrent-ts\`: what this page names is there. The rules: \`torrent_handle\` is \`TorrentHandle\`,
\`set_piece_deadline\` is \`setPieceDeadline\`, an enumerator loses the words that repeat its enum, overloads that differ by
\`error_code&\`, \`wchar_t\` or constness are one method that throws, and what is returned through a parameter is returned.

${summary(map)}`,
    '## Classes\n',
    ...classes.map(ownerTable),
    '## Alerts\n',
    ...alerts.map(ownerTable),
    ...sections.map(([title, belongs]) => {
      const rows = map.names.filter(({ libtorrent }) => belongs(libtorrent))
      return `## ${title}\n\n${table(heads, rows.map(line))}`
    }),
  ].join('\n')
}

function summary({ names }: NameMap): string {
  const starting = (word: string) => names.filter(({ reason }) => reason.startsWith(word)).length
  const counts = [
    ['names in the manuals', names.length],
    ['with a counterpart', names.filter(({ here }) => here !== '').length],
    ['not yet (the row says which subject it comes with)', starting('later')],
    ['not applicable', starting('not applicable')],
  ] as const
  return table(
    ['', 'count'],
    counts.map(([what, count]) => [what, String(count)]),
  )
}
