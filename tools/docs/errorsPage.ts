import {
  type ErrorRow,
  httpErrors,
  i2pErrors,
  libtorrentErrors,
  socksErrors,
  upnpErrors,
} from '../../packages/engine/src/errors/errorTables.ts'
import { code, pageHead, table } from './markdown.ts'

function errorTable(rows: Readonly<Record<string, ErrorRow>>): string {
  return table(
    ['code', 'value', 'message', 'more'],
    Object.entries(rows).map(([name, row]) => [
      code(name),
      String(row.value),
      row.message,
      row.description === row.message ? '' : row.description,
    ]),
  )
}

/** docs/errors.md */
export function errorsPage(): string {
  return [
    pageHead('Errors', 'packages/engine/src/errors/errorTables.ts'),
    `Whatever fails while running is a \`LibtorrentError\`: thrown, rejected, or carried by an alert. Compare \`code\` and
\`category\`; \`message\` is for people. \`value\` is libtorrent's number in the category, \`operation\` says what was being
done, \`path\` names the file at fault if there is one, \`cause\` is what Node reported. Errors of the operating system have
category \`system\` and Node's code (\`ENOSPC\`, \`ECONNREFUSED\`, ...). Wrong use of the library throws \`TypeError\` or
\`RangeError\`.
`,
    `## Category libtorrent\n\n${errorTable(libtorrentErrors)}`,
    `## Category http\n\n${errorTable(httpErrors)}`,
    `## Category socks\n\n${errorTable(socksErrors)}`,
    `## Category i2p\n\n${errorTable(i2pErrors)}`,
    `## Category upnp\n\n${errorTable(upnpErrors)}`,
  ].join('\n')
}
