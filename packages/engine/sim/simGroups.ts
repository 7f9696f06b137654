import { type Endpoint, endpointText } from '../src/address/endpoint.ts'
import type { NetworkInterface } from '../src/platform/localNetwork.ts'
import type { PacketTarget, SimHost } from './simHost.ts'

/** A socket that listens to a group on one network. */
export interface GroupMember extends PacketTarget {
  readonly host: SimHost
  readonly networkInterface: NetworkInterface
}

/** The members of multicast groups, by the group's address and port. */
export class SimGroups {
  private readonly groups = new Map<string, Set<GroupMember>>()

  join(group: Endpoint, member: GroupMember): void {
    const key = endpointText(group)
    const members = this.groups.get(key) ?? new Set()
    this.groups.set(key, members.add(member))
  }

  leave(group: Endpoint, member: GroupMember): void {
    this.groups.get(endpointText(group))?.delete(member)
  }

  membersOf(group: Endpoint): readonly GroupMember[] {
    return [...(this.groups.get(endpointText(group)) ?? [])]
  }
}
