/** Settings of a session in the real world that meets nobody it does not know. */
export const ALONE = { enableDht: false, enableLsd: false, enableUpnp: false, enableNatpmp: false }
