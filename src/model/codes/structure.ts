/** Codes of managers and departments. No I/O. */
import { helps } from "./help.ts";

export const STRUCTURE = helps({
  manager_not_found: {
    when: "Nobody answers to the manager that the row names, so the manager was left as it was",
    then: "All else in the row is used",
    todo: "Correct the manager's id or email, or add the manager; the hub tries again whenever somebody is added",
    example: { of: "Manager email", before: "bo@acme.example", after: "bo@acme.test" },
  },
  manager_disagrees: {
    when: "The manager's id and the manager's email belong to two different people; the id was used",
    then: "The person has the manager with this id; all else in the row is used",
    todo: "Correct the one that is wrong, or leave it out",
    example: {
      of: "Manager ID, Manager email (18 is Bo Lind)",
      before: "18, eva@acme.test",
      after: "18, bo@acme.test",
    },
  },
  manager_is_self: {
    when: "The row names the person as their own manager",
    then: "The manager stays as it was; all else in the row is used",
    todo: "Name another manager, or leave it empty for the top of the organization",
    example: { of: "Employee ID, Manager ID", before: "17, 17", after: "17, 18" },
  },
  manager_cycle: {
    when: "Following the managers upwards leads back to where it started",
    then: "None of the managers in the circle is set; all else in these rows is used",
    todo: "Correct one of the managers on the path that the message names",
    example: {
      of: "Managers",
      before: "Ana Sol reports to Bo Lind\nBo Lind reports to Ana Sol",
      after: "Ana Sol reports to Bo Lind\nBo Lind has no manager",
    },
  },
  department_inactive: {
    when: "The row names a department that is inactive, so the person's department was left as it was",
    then: "All else in the row is used",
    todo: "Name an active department, or have this one activated",
    example: { of: "Department", before: "Old Sales", after: "Sales" },
  },
  department_parent_not_found: {
    when: "There is no department with the name given as parent",
    then: "The row is left out; the department stays as it was",
    todo: "Correct the parent's name, or add a row for it",
    example: { of: "Parent", before: "Reserch", after: "Research" },
  },
  department_cycle: {
    when: "Following the parents upwards leads back to where it started",
    then: "The rows in the circle are left out",
    todo: "Correct one of the parents on the path that the message names",
    example: {
      of: "Lines of a file: name, parent",
      before: "Sales,Research\nResearch,Sales",
      after: "Sales,Research\nResearch,",
    },
  },
  department_has_active_users: {
    when: "The department should become inactive, but active people are still in it",
    then: "The department stays active; it becomes inactive by itself once nobody active is in it any more",
    todo: "Move those people to another department; the hub tries again after the next run of people",
    example: { of: "Department of Ana Sol", before: "Old Sales", after: "Sales" },
  },
});
