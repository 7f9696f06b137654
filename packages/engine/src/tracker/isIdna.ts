/** Whether `host` is an international name, in Unicode or in its `xn--` form: it may look like another (`allow_idna`). */
export function isIdna(host: string): boolean {
  for (let i = 0; i < host.length; i++) if (host.charCodeAt(i) > 0x7f) return true
  return host.split('.').some((label) => label.slice(0, 4).toLowerCase() === 'xn--')
}
