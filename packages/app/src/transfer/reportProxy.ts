import type { Session } from 'libtorrent-ts'
import { reasonOf } from '../cliError.ts'
import { hostAndPortText } from '../options/hostAndPort.ts'
import type { Output } from '../output/output.ts'

/** Warns when the proxy itself fails. */
export function reportProxy(session: Session, output: Output): void {
  session.on('socks5', ({ error, ip }) => {
    output.warn(`Proxy ${hostAndPortText({ host: ip.address, port: ip.port })}: ${reasonOf(error.cause ?? error)}.`)
  })
}
