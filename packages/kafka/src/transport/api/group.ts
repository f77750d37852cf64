import type { GroupMember, JoinGroupRequest, JoinGroupResponse, SyncGroupResponse } from "../types.ts";
import type { WireWriter } from "../wire.ts";
import type { Api } from "./api.ts";

/** Who coordinates a group. */
export interface CoordinatorResponse {
  readonly errorCode: number;
  readonly brokerId: number;
  readonly host: string;
  readonly port: number;
}

/** FindCoordinator, of groups. */
export const findCoordinatorApi: Api<string, CoordinatorResponse> = {
  name: "FindCoordinator",
  key: 10,
  versions: [2],
  encode(writer, groupId) {
    writer.string(groupId).int8(0);
  },
  decode(reader) {
    reader.int32();
    const errorCode = reader.int16();
    reader.nullableString(); // the error in words
    return { errorCode, brokerId: reader.int32(), host: reader.string(), port: reader.int32() };
  },
};

/** JoinGroup of consumers, with static membership. */
export const joinGroupApi: Api<JoinGroupRequest, JoinGroupResponse> = {
  name: "JoinGroup",
  key: 11,
  versions: [5],
  encode(writer, request) {
    writer
      .string(request.groupId)
      .int32(request.sessionTimeoutMs)
      .int32(request.rebalanceTimeoutMs)
      .string(request.memberId)
      .string(request.instanceId)
      .string("consumer")
      .array(request.protocols, ({ name, metadata }) => writer.string(name).bytes(metadata));
  },
  decode(reader) {
    reader.int32();
    return {
      errorCode: reader.int16(),
      generation: reader.int32(),
      protocol: reader.string(),
      leaderId: reader.string(),
      memberId: reader.string(),
      members: reader.array(() => ({
        memberId: reader.string(),
        instanceId: reader.nullableString(),
        metadata: reader.bytes(),
      })),
    };
  },
};

interface SyncRequest {
  readonly member: GroupMember;
  readonly assignments: readonly { readonly memberId: string; readonly assignment: Uint8Array }[];
}

function writeMember(writer: WireWriter, { groupId, generation, memberId, instanceId }: GroupMember): WireWriter {
  return writer.string(groupId).int32(generation).string(memberId).string(instanceId);
}

/** SyncGroup. */
export const syncGroupApi: Api<SyncRequest, SyncGroupResponse> = {
  name: "SyncGroup",
  key: 14,
  versions: [3],
  encode(writer, { member, assignments }) {
    writeMember(writer, member).array(assignments, ({ memberId, assignment }) =>
      writer.string(memberId).bytes(assignment),
    );
  },
  decode(reader) {
    reader.int32();
    return { errorCode: reader.int16(), assignment: reader.bytes() };
  },
};

/** Heartbeat; answers with an error code. */
export const heartbeatApi: Api<GroupMember, number> = {
  name: "Heartbeat",
  key: 12,
  versions: [3],
  encode(writer, member) {
    writeMember(writer, member);
  },
  decode(reader) {
    reader.int32();
    return reader.int16();
  },
};

/** LeaveGroup of one member; answers with its error code. */
export const leaveGroupApi: Api<GroupMember, number> = {
  name: "LeaveGroup",
  key: 13,
  versions: [3],
  encode(writer, { groupId, memberId, instanceId }) {
    writer.string(groupId).array([memberId], (id) => writer.string(id).string(instanceId));
  },
  decode(reader) {
    reader.int32();
    const errorCode = reader.int16();
    const members = reader.array(() => {
      reader.string();
      reader.nullableString();
      return reader.int16();
    });
    return errorCode !== 0 ? errorCode : (members[0] ?? 0);
  },
};
