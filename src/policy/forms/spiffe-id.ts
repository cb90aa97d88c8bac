/** Whether a value is the SPIFFE id of a workload in this trust domain. */
export const isOfTrustDomain = (id: unknown, trustDomain: string): id is string =>
  typeof id === 'string' && id.startsWith(`spiffe://${trustDomain}/`) && SPIFFE_ID.test(id);

/** The SPIFFE id of a workload: a trust domain and a path of plain words, none of them `.` or `..`. */
export const SPIFFE_ID = /^(?=.{1,2048}$)spiffe:\/\/[a-z0-9][a-z0-9._-]{0,254}(?:\/(?!\.\.?(?:\/|$))[A-Za-z0-9._-]+)+$/;
