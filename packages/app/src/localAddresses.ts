import { isIP } from 'node:net'
import { networkInterfaces } from 'node:os'

/**
 * The addresses of this machine that `names`, devices and addresses, stand for now. The link-local ones of IPv6 are left
 * out: nothing beyond the next router answers them.
 */
export function localAddresses(names: readonly string[]): string[] {
  const present = networkInterfaces()
  const addresses = names.flatMap((name) =>
    isIP(name) === 0 ? (present[name] ?? []).map(({ address }) => address) : [name],
  )
  return addresses.filter((address) => !/^fe[89ab]/i.test(address))
}
