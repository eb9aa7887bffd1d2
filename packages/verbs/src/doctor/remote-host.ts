/** The host of a git remote: of an address, or of `user@host:path`. Null for a folder of this machine. */
export function remoteHost(remote: string): string | null {
  const text = remote.trim();
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) {
    const { protocol, hostname } = URL.canParse(text) ? new URL(text) : { protocol: 'file:', hostname: '' };
    return protocol === 'file:' || hostname === '' ? null : hostname.toLowerCase();
  }
  const host = /^(?:[^@/\s]+@)?([A-Za-z0-9.-]+):(?!\/\/)/.exec(text)?.[1];
  // `C:\work` is a disk.
  return host === undefined || host.length < 2 ? null : host.toLowerCase();
}

/** Where a token of github.com may be sent: the same account, under its names for ssh. */
export function isGithub(host: string): boolean {
  return host === 'github.com' || host === 'ssh.github.com' || host === 'www.github.com';
}
