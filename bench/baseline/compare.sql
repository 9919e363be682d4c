-- How many users, departments and links differ between the baseline (main) and a second database (attached as other).
-- Ids are each database's own, so departments are compared by name and managers by employee_id.
create temp table scope as
select o.id as organization_id,
  (select c.id from other.connections as c where c.organization_id = o.id and c.slug = 'csv') as connection_id
from other.organizations as o where o.slug = 'default';

select json_object(
  'users', (
    select count(*)
    from main.users as u
    left join main.departments as d on d.id = u.department_id
    left join main.users as m on m.id = u.manager_id
    left join other.users as t
      on t.organization_id = (select organization_id from scope) and t.employee_id = u.employee_id
    left join other.departments as td on td.id = t.department_id
    left join other.users as tm on tm.id = t.manager_id
    where t.id is null or t.email is not u.email or t.first_name is not u.first_name
      or t.last_name is not u.last_name or t.preferred_name is not u.preferred_name or t.title is not u.title
      or td.folded is not d.folded or tm.employee_id is not m.employee_id or t.location is not u.location
      or t.phone is not u.phone or t.hire_date is not u.hire_date
      or t.employment_status is not u.employment_status or t.status is not u.status
      or t.username is not u.username or t.mobile_phone is not u.mobile_phone
      or t.deactivation_date is not u.deactivation_date or t.on_leave is not u.on_leave
      or t.timezone is not u.timezone or t.language is not u.language
  ) + max(
    0,
    (select count(*) from other.users where organization_id = (select organization_id from scope))
    - (select count(*) from main.users)
  ),
  'departments', (
    select count(*) from (
      select folded, name, parent_id is null as top, active from main.departments
      except
      select folded, name, parent_id is null, active from other.departments
      where organization_id = (select organization_id from scope)
    )
  ) + max(
    0,
    (select count(*) from other.departments where organization_id = (select organization_id from scope))
    - (select count(*) from main.departments)
  ),
  'links', (
    select count(*)
    from main.links as l
    join main.users as u on u.id = l.user_id
    left join other.links as t
      on t.connection_id = (select connection_id from scope) and t.source_key = l.source_key
    left join other.users as tu on tu.id = t.user_id
    where tu.employee_id is not u.employee_id or t.active is not l.active
  ) + max(
    0,
    (select count(*) from other.links where connection_id = (select connection_id from scope))
    - (select count(*) from main.links)
  )
);
