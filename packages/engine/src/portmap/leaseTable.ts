import type { Millis } from '../util/flavored.ts'
import { Lease } from './lease.ts'
import type { PortMapping } from './portMapping.ts'

/** The mappings at one router: at most `MAX_MAPPINGS` and those that are being taken back. */
export class LeaseTable {
  private readonly leases: Lease[] = []

  get all(): readonly Lease[] {
    return this.leases
  }

  add(lease: Lease): void {
    this.leases.push(lease)
  }

  /** Makes a lease for each mapping that has none. */
  addMissing(mappings: Iterable<PortMapping>, now: Millis, nonce: () => Uint8Array): void {
    for (const mapping of mappings) {
      if (!this.leases.some((lease) => lease.mapping === mapping)) this.add(new Lease(mapping, now, nonce()))
    }
  }

  /** The mapping is not wanted any more: taken back if the router may know of it, else forgotten. */
  leave(mapping: PortMapping): void {
    const lease = this.leases.find((each) => each.mapping === mapping)
    if (lease === undefined) return
    if (lease.mayBeHeld) lease.state = { name: 'leaving' }
    else this.forget(lease)
  }

  leaveAll(): void {
    for (const lease of [...this.leases]) this.leave(lease.mapping)
  }

  forget(lease: Lease): void {
    const at = this.leases.indexOf(lease)
    if (at !== -1) this.leases.splice(at, 1)
  }

  /** What is to be done now, those to be taken back first. */
  due(now: Millis): Lease | null {
    let first: Lease | null = null
    for (const lease of this.leases) {
      if (lease.dueAt <= now && (first === null || lease.dueAt < first.dueAt)) first = lease
    }
    return first
  }

  /** When something is to be done next. */
  get nextDueAt(): Millis {
    return this.leases.reduce((next, lease) => Math.min(next, lease.dueAt), Number.POSITIVE_INFINITY)
  }

  /** True when the router may hold nothing of ours any more. */
  get isEmpty(): boolean {
    return this.leases.length === 0
  }
}
