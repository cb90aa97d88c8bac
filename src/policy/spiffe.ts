/** Whether a value is the SPIFFE id of a workload in this trust domain. */
export function isOfTrustDomain(id: unknown, trustDomain: string): id is string {
  return typeof id === 'string' && id.startsWith(`spiffe://${trustDomain}/`) && SPIFFE_ID.test(id);
}

/** A SPIFFE id of a workload: trust domain, and a path whose segments are plain words, none of them only dots. */
export const SPIFFE_ID = /^(?=.{1,2048}$)spiffe:\/\/[a-z0-9][a-z0-9._-]{0,254}(?:\/(?!\.\.?(?:\/|$))[A-Za-z0-9._-]+)+$/;
