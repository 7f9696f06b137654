import { AlertCategory } from '../../packages/engine/src/alerts/alert.ts'
import { type AlertRow, alertTable } from '../../packages/engine/src/alerts/alertTable.ts'
import { code, pageHead, table } from './markdown.ts'
import type { PublicName } from './publicApi.ts'

const inherited = new Set(['type', 'timestamp', 'category', 'what', 'message', 'handle'])
const bits = Object.entries(AlertCategory).filter(([name]) => name !== 'all')

function categories(mask: number): string {
  return bits
    .filter(([, bit]) => (mask & bit) !== 0)
    .map(([name]) => name)
    .join(', ')
}

/** docs/alerts.md; what an alert means and carries is read from the doc comments of its class. */
export function alertsPage(api: ReadonlyMap<string, PublicName>): string {
  const rows = Object.entries(alertTable) as [string, AlertRow][]
  const lines = rows
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([type, row]) => {
      const described = api.get(`${type[0].toUpperCase()}${type.slice(1)}Alert`)
      const fields = [...(described?.members ?? [])].filter((name) => !inherited.has(name))
      return [
        code(type),
        described?.doc ?? '',
        fields.map(code).join(', '),
        categories(row.category),
        `${code(row.libtorrentName)} (${row.id})`,
      ]
    })
  return [
    pageHead('Alerts', 'packages/engine/src/alerts'),
    `An alert is a fact about the session, in the past tense. Every alert has \`type\` (below), \`timestamp\`, \`category\`,
\`what()\`, \`message()\`, and the fields of its kind; those about a torrent have \`handle\`. There are four ways to
receive them:

\`\`\`ts
session.on('torrentFinished', (alert) => console.log(alert.handle.infoHash.toHex()))
for await (const alert of session.alerts()) console.log(alert.message())
for (const alert of session.popAlerts()) console.log(alert.message())
const alert = await session.waitForAlert(1000)
\`\`\`

Only alerts of a category in the mask (setting \`alertMask\`) are posted. The queue keeps \`alertQueueSize\` alerts, more
of those that are the only answer to a request; what does not fit is dropped, and an \`alertsDropped\` alert says how many
of which kinds.
`,
    `## Categories\n\n${table(
      ['category', 'bit', 'what belongs to it'],
      bits.map(([name, bit]) => [
        code(`AlertCategory.${name}`),
        `0x${bit.toString(16)}`,
        api.get('AlertCategory')?.memberDocs.get(name) ?? '',
      ]),
    )}`,
    `## Kinds\n\n${table(['type', 'meaning', 'fields', 'category', 'libtorrent'], lines)}`,
  ].join('\n')
}
