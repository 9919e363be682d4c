"""Writes the workbook that test/runs/other-writers.test.ts reads, by openpyxl."""
import datetime
import sys

from openpyxl import Workbook
from openpyxl.utils.datetime import CALENDAR_MAC_1904

book = Workbook()
if sys.argv[2] == "1904":
    book.epoch = CALENDAR_MAC_1904
notes = book.active
notes.title = "Read me"
notes["A1"] = "Made by openpyxl"
people = book.create_sheet("People")
people.append(["employee_id", "email", "first_name", "last_name", "title", "hire_date", "phone"])
people.append([123, "ana@example.com", "Ana", "Novák", "=\"Lead\"", datetime.date(2024, 2, 29), "+371 2012 3456"])
people["A2"].number_format = "000000"
people["E2"].data_type = "s"
people["E2"].value = "'t Lead"
people.append(["000124", "bo@example.com", "Bo", "Lind", None, datetime.datetime(2019, 12, 31), 49123456789])
people.append(["000125", "cy@example.com", "Cy", "Ora", "Clerk & co <1>", None, None])
people.row_dimensions[4].hidden = True
people["F4"] = "2021-05-06"
book.save(sys.argv[1])
