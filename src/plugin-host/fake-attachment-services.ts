import type { AttachmentId, AttachmentRecord } from "./core/attachment.ts";
import type { AttachmentServices } from "./core/ports.ts";

/** Keeps which attachments have their host ports. A test may hold publishing back or make it fail. */
export class FakeAttachmentServices implements AttachmentServices {
  readonly published = new Map<AttachmentId, AttachmentRecord>();
  /** Awaited before a publication has its effect. */
  before: (record: AttachmentRecord) => Promise<void> = async () => {};
  /** What settle() answers. */
  settling: Promise<void> | undefined;

  restore(records: readonly AttachmentRecord[]): void {
    this.published.clear();
    for (const record of records) if (record.portMappings) this.published.set(record.id, record);
  }

  async publish(record: AttachmentRecord): Promise<void> {
    await this.before(record);
    this.published.set(record.id, record);
  }

  withdraw(id: AttachmentId): void {
    this.published.delete(id);
  }

  settle(): Promise<void> | undefined {
    return this.settling;
  }
}
