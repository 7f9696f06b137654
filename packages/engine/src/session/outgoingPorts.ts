import type { Settings } from '../settings/settings.ts'

/** Local ports of outgoing connections, in turn: a port cannot be used for the same peer again at once. */
export class OutgoingPorts {
  private offset = 0

  constructor(private readonly settings: Readonly<Pick<Settings, 'outgoingPort' | 'numOutgoingPorts'>>) {}

  /** Options of the next connection; without a port the system picks one. */
  next(): { localPort?: number } {
    const { outgoingPort, numOutgoingPorts } = this.settings
    if (outgoingPort === 0) return {}
    this.offset = (this.offset + 1) % Math.max(1, numOutgoingPorts)
    return { localPort: Math.min(0xffff, outgoingPort + this.offset) }
  }
}
