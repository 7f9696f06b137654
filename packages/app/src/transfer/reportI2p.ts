import type { Session } from 'libtorrent-ts'
import { reasonOf } from '../cliError.ts'
import { hostAndPortText } from '../options/hostAndPort.ts'
import type { Output } from '../output/output.ts'

/** Warns when the I2P router cannot be used; it is tried again by itself. */
export function reportI2p(session: Session, output: Output): void {
  const told = new Set<string>()
  session.on('i2p', ({ error }) => {
    const { i2pHostname: host, i2pPort: port } = session.settings()
    const text = `I2P router ${hostAndPortText({ host, port })}: ${reasonOf(error)}. It is tried again.`
    if (told.has(text)) return
    told.add(text)
    output.warn(text)
  })
}
